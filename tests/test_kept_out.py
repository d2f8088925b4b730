"""No address of the contacts comes into a journal: of a run, and of what whoever heals it writes."""

from __future__ import annotations

from pathlib import Path

from harness.communications import contacts, kept_out
from harness.evidence.journal import Journal
from harness.evidence.redact import Redactor
from tests.this_project import PROJECT


def test_no_address_of_the_contacts_comes_into_a_journal(tmp_path: Path) -> None:
    """Also where the answer of a service quotes it."""
    assert PROJECT.contacts
    words = kept_out.begin(tmp_path, PROJECT.contacts)
    every = contacts.private_words(contacts.load(PROJECT.contacts))
    assert words == every == kept_out.left(tmp_path)
    journal = Journal.create(tmp_path / "run", redactor=Redactor(words))
    journal.record("run.begin", run="r1")
    journal.record("failed", what="mail", error=f"550 no such user: {', '.join(sorted(every))}")
    journal.close()
    written = (tmp_path / "run" / "journal.jsonl").read_text()
    assert "redacted" in written and not [word for word in every if word in written]


def test_whoever_heals_goes_on_without_contacts_that_are_gone(tmp_path: Path) -> None:
    """Healing does not fail because of it."""
    kept_out.begin(tmp_path, PROJECT.contacts)
    said = tmp_path / kept_out.FILE
    said.write_text(said.read_text().replace("contacts.yaml", "no-contacts.yaml"))
    assert kept_out.left(tmp_path) == frozenset()
    assert kept_out.begin(tmp_path / "other", None) == kept_out.left(tmp_path / "other") == frozenset()
