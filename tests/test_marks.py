"""What a drill has written into the platform's own data: counted, removed where the client says how, and told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.run.run import Run
from harness.run.trial import Trials
from harness.scenario.customers import ScenarioCustomers
from harness.scenario.marks import Marks
from harness.system.recorder import Memory
from harness.workload.client import ClientSource, Key, Own
from harness.workload.ledger import Header, end_line, header_line, sent_line
from harness.workload.source import client_source
from tests.plain_clients import PAYDESK
from tests.this_project import PROJECT

RUN, SCENARIO = "20260102-030405-abcd", "the-leader-dies"
ORIGIN = f"{RUN}/{SCENARIO}"
REMOVAL = "clean up:\n  sql: DELETE FROM apipayments WHERE external_id LIKE ${prefix}\n"


class Desk:
    """A stack that can be read, and whose database may break."""

    kind = "fake"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "desk.db"
        self.source = sqlite3.connect(self._file, isolation_level=None)
        self.source.execute("CREATE TABLE apipayments (external_id, amount)")
        keys = [f"{ORIGIN}/outside-1", f"{ORIGIN}/outside-2", f"{ORIGIN}/harness-1", "invoice 17"]
        self.source.executemany("INSERT INTO apipayments VALUES (?, 1000)", [(key,) for key in keys])
        self.broken = ""

    def reading(self) -> closing[sqlite3.Connection]:
        """One that begins a transaction by itself, and forgets what nobody commits."""
        if self.broken:
            raise sqlite3.OperationalError(self.broken)
        return closing(sqlite3.connect(self._file))

    def secret(self, name: str) -> str:
        return "s3cret-of-the-desk"


def ended(stack: Any, client: ClientSource, folder: Path, *, wrote: bool = True) -> Mapping[str, Any] | None:
    """What the line of the journal says; None where there is none."""
    memory = Memory()
    run = cast(Run, SimpleNamespace(stack=stack, client=client, journal=memory))
    customers = cast(ScenarioCustomers, SimpleNamespace(any=wrote, origin=ORIGIN, groups=["outside"] if wrote else []))
    sent = [Own(Key(f"{ORIGIN}/harness", 1), {"amount": "1"})] if wrote else []
    Marks(run, folder, customers, cast(Trials, SimpleNamespace(sent=sent))).end()
    return next((data for kind, data in memory.facts if kind == "marks"), None)


def removing(folder: Path) -> ClientSource:
    (folder / "client.yaml").write_text((PAYDESK / "client.yaml").read_text() + REMOVAL)
    return client_source(folder, "client.yaml")


def test_what_has_no_way_to_be_removed_stays_and_is_counted(tmp_path: Path) -> None:
    """Of customers and of the harness itself, and of nobody else."""
    stack = Desk(tmp_path)
    said = ended(stack, client_source(PAYDESK, "client.yaml"), tmp_path)
    assert said == {"origin": ORIGIN, "how": "left", "found": 3, "left": 3, "why": ""}
    assert stack.source.execute("SELECT count(*) FROM apipayments").fetchone() == (4,)


def test_what_the_file_says_how_to_remove_is_removed_and_looked_for_again(tmp_path: Path) -> None:
    """What others wrote is there as before."""
    stack = Desk(tmp_path)
    said = ended(stack, removing(tmp_path), tmp_path)
    assert said == {"origin": ORIGIN, "how": "SQL", "found": 3, "left": 0, "why": ""}
    assert stack.source.execute("SELECT external_id FROM apipayments").fetchall() == [("invoice 17",)]


def test_what_a_removal_leaves_is_told(tmp_path: Path) -> None:
    """A statement that succeeds and removes nothing removes nothing."""
    (tmp_path / "client.yaml").write_text(
        (PAYDESK / "client.yaml").read_text() + REMOVAL.replace("LIKE", "IS NULL AND 'x' LIKE")
    )
    said = ended(Desk(tmp_path), client_source(tmp_path, "client.yaml"), tmp_path)
    assert said is not None and (said["left"], said["why"]) == (3, "they are there still")


def test_what_cannot_be_removed_is_told_with_what_stays(tmp_path: Path) -> None:
    """Also where nobody could even count it: then nobody knows."""
    stack = Desk(tmp_path)
    stack.source.execute("CREATE TRIGGER no BEFORE DELETE ON apipayments BEGIN SELECT RAISE(FAIL, 'not yours'); END")
    said = ended(stack, removing(tmp_path), tmp_path)
    assert said is not None and (said["found"], said["left"], said["why"]) == (3, 3, "IntegrityError: not yours")
    stack.broken = "the server is gone"
    said = ended(stack, removing(tmp_path), tmp_path)
    assert said is not None and (said["found"], said["left"]) == (None, None)
    assert said["why"] == "OperationalError: the server is gone"


def test_where_nothing_was_written_nothing_is_started_or_said(tmp_path: Path) -> None:
    """A scenario that is not begun has no stack; nor is anything said for a client that knows no marks."""

    class Never:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError("nobody asks")

    assert ended(Never(), removing(tmp_path), tmp_path, wrote=False) is None
    assert ended(Desk(tmp_path), PROJECT.client, tmp_path) is None


@pytest.mark.parametrize("what", ["there", "gone"])
def test_by_request_what_the_ledgers_say_was_sent_is_asked_for(tmp_path: Path, what: str) -> None:
    """Each once, by the entrance."""
    from harness.workload.rows import sent_in  # noqa: PLC0415  (only here)

    lines = [
        header_line(Header(ORIGIN, "outside", 1.0, 5.0)),
        sent_line(1, due=1, t=1, payload=json.dumps({"amount": "1"})),
        end_line(1, "acknowledged", t=2),
        sent_line(2, due=2, t=2, payload=json.dumps({"amount": "2"})),
    ]
    if what == "there":
        (tmp_path / "ledger-outside.jsonl").write_text("".join(lines))
    found = list(sent_in(tmp_path)(f"{ORIGIN}/outside"))
    wanted = [Own(Key(f"{ORIGIN}/outside", n), {"amount": str(n)}) for n in (1, 2)]
    assert found == (wanted if what == "there" else [])


def test_a_reader_is_told_what_stays() -> None:
    """In the story of the scenario, also where nobody could count it, and why."""
    from reports.run.moments import WORDS  # noqa: PLC0415  (only here)

    told = WORDS["marks"]
    assert told({"found": 3, "left": 0, "why": ""}) == (
        "of what was written into the platform's data 3 were there, and 0 stay"
    )
    assert told({"found": None, "left": None, "why": "gone"}).endswith("and nobody knows how many stay: gone")
