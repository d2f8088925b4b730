"""The first line of a run: of whose code it is, digests of what is in no pack, and the old names translated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from drills import PLAN
from harness import plan, project
from harness.cli import drdrill
from harness.cli.run import RunRequest
from harness.errors import Exit, Refused
from harness.evidence import format1, lines, reading
from harness.evidence.keys import KeyRefused, private_digest
from harness.plan.shape import FORMATS
from harness.run import code
from reports.pack import read
from reports.run import junit, page, text
from tests.sample_pack import Plot, write
from tests.test_rules import STORED, VERSION, unpacked
from tests.this_project import PROJECT

SMALLEST = Path(__file__).parent / "projects" / "smallest"
OLD = {
    "run": "r", "number": 7, "rung": "rootless", "machine": {"cpus": 2}, "parts": {"drdrill": "0.1.0", "moto": "5"},
    "commit": "4ce178f", "clean": True, "digests": {"plan": "p", "features": "f", "code": "c", "constraints": "x"},
}  # fmt: skip  # a table


# Format 1


def test_the_names_of_format_1_are_translated() -> None:
    """One digest and one commit were of machine and project together; there was one stream."""
    assert format1.begin(OLD) == {
        "run": "r", "number": 7, "stream": "main", "sandbox": "rootless", "host": {"cpus": 2},
        "packages": {"moto": "5"}, "digests": {"plan": "p", "features": "f", "constraints": "x"},
        "harness": {"version": "0.1.0", "digest": "c", "commit": "4ce178f", "clean": True}, "project": None,
        "rehearsal": False, "clock": {"name": "machine", "compression": 1},
    }  # fmt: skip  # a table
    assert OLD["rung"] == "rootless", "what was read stays as it is"
    unknown = format1.begin(OLD | {"commit": "unknown", "clean": False})["harness"]
    assert (unknown["commit"], unknown["clean"]) == (None, None)


@pytest.mark.parametrize("data", [{}, {"parts": 3, "digests": []}, {"machine": None, "commit": 5}], ids=str)
def test_a_damaged_first_line_is_translated_as_far_as_it_goes(data: dict[str, object]) -> None:
    """It never raises: whoever reads it says what is wrong."""
    assert format1.begin(data)["stream"] == "main"


def test_both_readers_give_the_new_names(tmp_path: Path) -> None:
    """The strict one and the forgiving one, of a pack that was sealed long ago."""
    pack = unpacked(STORED[0], tmp_path)
    strict = lines.read(pack / lines.NAME)[0].data
    assert reading.first(pack / lines.NAME)["data"] == strict
    assert strict["sandbox"] == "rootless" and len(strict["harness"]["digest"]) == 64 and "rung" not in strict


@pytest.mark.parametrize("archive", [one for one in STORED if VERSION[one] in ("2", "3")], ids=lambda path: path.name)
def test_a_stored_pack_of_format_1_is_reported_in_the_names_of_today(archive: Path, tmp_path: Path) -> None:
    """The same files, whose words are others; the findings in them are those that were sealed."""
    pack = unpacked(archive, tmp_path)
    done = CliRunner().invoke(drdrill, ["report", str(pack), "--into", str(tmp_path / "again")])
    assert done.exit_code == 2 and "the findings are those that were sealed" in done.output, done.output
    page = (tmp_path / "again" / "index.html").read_text()
    assert "embedded, sandbox rootless" in page and "DO NOT BELIEVE" not in page


# Code


def test_machine_and_project_have_digests_of_their_own() -> None:
    """What is of the one does not change that of the other."""
    ours, theirs = code.machine(), code.project(PROJECT)
    assert list(ours) == ["version", "digest", "commit", "clean"]
    assert list(theirs) == ["name", "digest", "commit", "clean"] and theirs["name"] == "QuantumNest"
    assert ours["digest"] == code.digest_of_machine() != theirs["digest"]


def test_the_digest_of_a_project_is_of_its_code(tmp_path: Path) -> None:
    """And not of where it lies; outside of a repository it has no commit."""
    copy = project.load(Path(shutil.copytree(SMALLEST, tmp_path / "copy")))
    said = code.project(copy)
    assert said == {"name": "Smallest", "digest": said["digest"], "commit": None, "clean": None}
    assert said["digest"] == code.digest_of_project(project.load(SMALLEST).code)
    (tmp_path / "copy" / "smallest" / "more.py").write_text("x = 1\n")
    assert code.project(copy)["digest"] != said["digest"]


# Contacts


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the key of digests lies, beside the signing key."""
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "keys" / "signing-key.pem"))
    return tmp_path / "keys" / "digest-key"


def test_contacts_have_a_digest_that_only_the_key_can_compare(tmp_path: Path, key: Path) -> None:
    """The key is made on first use, readable by nobody else; another one gives another digest."""
    contacts = tmp_path / "contacts.yaml"
    contacts.write_text("mira: +49 30 123456\n")
    first = private_digest(contacts)
    assert first.startswith("hmac-sha256:") and len(first) == len("hmac-sha256:") + 64
    assert key.stat().st_mode & 0o777 == 0o600 and private_digest(contacts) == first
    key.unlink()
    assert private_digest(contacts) != first
    the_plan = plan.load(PLAN)
    assert code.digests(the_plan, SMALLEST / "features", contacts=contacts)["contacts"] == private_digest(contacts)
    assert code.digests(the_plan, SMALLEST / "features")["contacts"] is None


def test_a_key_of_digests_that_cannot_be_used_is_refused(tmp_path: Path, key: Path) -> None:
    """Others can read it; it is no key; the file is not there."""
    contacts = tmp_path / "contacts.yaml"
    contacts.touch()
    private_digest(contacts)
    key.chmod(0o644)
    with pytest.raises(KeyRefused, match="others can read or change the key of digests"):
        private_digest(contacts)
    key.chmod(0o600)
    key.write_text("short\n")
    with pytest.raises(KeyRefused, match="not a key of 64 hex digits"):
        private_digest(contacts)
    key.unlink()
    with pytest.raises(Refused, match="No such file"):
        private_digest(tmp_path / "nowhere")


def test_a_project_may_name_its_contacts(tmp_path: Path) -> None:
    """A file in its folder."""
    copy = Path(shutil.copytree(SMALLEST, tmp_path / "copy"))
    (copy / "contacts.yaml").write_text("mira: 1\n")
    file = copy / "project.yaml"
    file.write_text(file.read_text() + "contacts: contacts.yaml\n")
    assert project.load(copy).contacts == copy / "contacts.yaml"
    (copy / "contacts.yaml").unlink()
    with pytest.raises(Refused, match=r"there is no file contacts\.yaml"):
        project.load(copy)


# Options


def test_a_stream_that_the_plan_does_not_declare_is_refused(tmp_path: Path) -> None:
    """Before anything starts."""
    words = ["run", "monthly", "--stream", "mian", "--evidence", str(tmp_path / "e")]
    done = CliRunner().invoke(drdrill, words)
    assert isinstance(done.exception, Refused) and done.exception.exit is Exit.REFUSED
    assert 'the plan has no stream "mian"' in done.exception.message and "main" in done.exception.hint
    assert not (tmp_path / "e").exists()


def test_a_rehearsal_of_what_is_due_is_refused(tmp_path: Path) -> None:
    """It would do no duty."""
    done = CliRunner().invoke(drdrill, ["run", "due", "--rehearsal", "--evidence", str(tmp_path)])
    assert isinstance(done.exception, Refused) and "--rehearsal does no duty" in done.exception.message


def test_both_reach_the_process_of_the_run() -> None:
    """As options of pytest."""
    words = RunRequest(Path("p"), Path("e"), stream="ci-a", rehearsal=True).words("r")
    assert "--stream=ci-a" in words and "--rehearsal" in words


@pytest.mark.parametrize("name", ["CI", "a b", "-a", "a--b", "x" * 41, ""])
def test_names_of_streams_are_plain(name: str) -> None:
    """They stand in receipts, which are mailed."""
    with pytest.raises(ValueError, match="not the name of a stream"):
        FORMATS["stream-name"][0](name)


# What is shown


@pytest.mark.parametrize(
    ("begin", "mark"),
    [({"rehearsal": True}, "rehearsal"), ({"clock": {"name": "machine", "compression": 60}}, "clock compressed 1:60")],
    ids=["rehearsal", "compressed"],
)
def test_every_verdict_says_that_it_counts_for_nothing(tmp_path: Path, begin: dict[str, object], mark: str) -> None:
    """The head of the page, the last line of the screen, and JUnit."""
    pack = write(tmp_path / "p", Plot(), **begin)
    found = read(pack)
    assert f"{found.verdict}, {mark}: the verdict of the run" in text.summary(pack)
    html = page.html(found)
    assert f"{mark.upper()}: this run counts for nothing" in html and f", {mark}" in html
    assert mark in junit.xml(found).decode()
    plain = read(write(tmp_path / "q", Plot()))
    assert "counts for nothing" not in page.html(plain)


def test_the_page_says_whose_code_it_was(tmp_path: Path) -> None:
    """Of both, with commit and digest; and which of them was changed."""
    changed = {"name": "Sample", "digest": "cd" * 32, "commit": "abc1234", "clean": False}
    html = page.html(read(write(tmp_path / "p", Plot(), project=changed)))
    assert "Sample, commit abc1234 (with uncommitted changes)" in html and "0.1.0, commit 4ce178f" in html
    assert "Digest of the project (SHA-256)" in html and "The code of the project was changed" in html


def test_digests_say_how_they_were_made(tmp_path: Path) -> None:
    """One by a key is not one that anybody can compare."""
    digests = {"plan": "12" * 32, "contacts": "hmac-sha256:" + "ab" * 32, "stack_file": None}
    html = page.html(read(write(tmp_path / "p", Plot(), digests=digests)))
    assert "Digest of the contacts (HMAC-SHA-256)" in html and "stack file" not in html
