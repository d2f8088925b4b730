"""The mistake is found from pg_waldump's text, as PostgreSQL 18 and 15 wrote it."""

# ruff: noqa: E501  what pg_waldump prints has long lines
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from harness.procedures.find_mistake import Ended, MistakeNotFound, changes, ends, find_mistake
from harness.stacks import Stack
from harness.stacks.capabilities.database import Member
from harness.stacks.parts import wal
from harness.system.command import Done

HEAP = """\
rmgr: Heap        len (rec/tot):     62/    62, tx:        789, lsn: 0/0B0000B0, prev 0/0B000060, desc: DELETE xmax: 789, off: 5, infobits: [KEYS_UPDATED], flags: 0x01, blkref #0: rel 1663/16384/16454 blk 0, blkref #1: rel 1663/16384/16454 fork vm blk 0
rmgr: Heap        len (rec/tot):     54/    54, tx:        790, lsn: 0/0B0000F0, prev 0/0B0000B0, desc: LOCK xmax: 790, off: 6, infobits: [LOCK_ONLY, EXCL_LOCK], flags: 0x00, blkref #0: rel 1663/16384/16454 blk 0
rmgr: Heap        len (rec/tot):    138/   138, tx:        790, lsn: 0/0B000128, prev 0/0B0000F0, desc: UPDATE old_xmax: 790, old_off: 6, old_infobits: [], flags: 0x02, new_xmax: 0, new_off: 10, blkref #0: rel 1663/16384/16454 blk 103, blkref #1: rel 1663/16384/16454 blk 0, blkref #2: rel 1663/16384/16454 fork vm blk 0
rmgr: Heap        len (rec/tot):     54/    54, tx:        791, lsn: 0/0B0059C8, prev 0/0B005988, desc: DELETE xmax: 791, off: 7, infobits: [KEYS_UPDATED], flags: 0x00, blkref #0: rel 1663/16384/16454 blk 0
rmgr: Heap        len (rec/tot):    119/   119, tx:        792, lsn: 0/0B005A28, prev 0/0B005A00, desc: INSERT+INIT off: 1, flags: 0x05, blkref #0: rel 1663/16384/16454 blk 104, blkref #1: rel 1663/16384/16454 fork vm blk 0
rmgr: Heap        len (rec/tot):     48/    48, tx:        792, lsn: 0/0B005B68, prev 0/0B005B28, desc: HEAP_CONFIRM off: 1, blkref #0: rel 1663/16384/16454 blk 104
"""
TAKEN_BACK = """\
rmgr: Heap        len (rec/tot):     54/    54, tx:        795, lsn: 0/0B006A90, prev 0/0B006A50, desc: DELETE xmax: 795, off: 9, infobits: [], flags: 0x08, blkref #0: rel 1663/16384/16454 blk 104
"""
ENDS = """\
rmgr: Transaction len (rec/tot):     50/    50, tx:        788, lsn: 0/0B005950, prev 0/0B003C18, desc: COMMIT 2026-11-23 23:03:44.003611 CET; subxacts: 789 790
rmgr: Transaction len (rec/tot):     34/    34, tx:        791, lsn: 0/0B005A00, prev 0/0B0059C8, desc: ABORT 2026-11-23 23:03:44.010889 CET
rmgr: Transaction len (rec/tot):    210/   210, tx:        787, lsn: 0/0A0F7CF8, prev 0/0A0F7BB0, desc: COMMIT 2026-11-23 23:02:57.909473 CET; inval msgs: catcache 65 catcache 789 relcache 16454
rmgr: Transaction len (rec/tot):     34/    34, tx:        792, lsn: 0/0B005C08, prev 0/0B005BD0, desc: COMMIT 2026-11-23 23:03:44.125909 CET
"""
OLDER = """\
rmgr: Heap        len (rec/tot):     54/    54, tx:        789, lsn: 0/0B0000B0, prev 0/0B000060, desc: DELETE off 5 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/16384/16454 blk 0
rmgr: Heap        len (rec/tot):    138/   138, tx:        790, lsn: 0/0B000128, prev 0/0B0000F0, desc: UPDATE off 6 xmax 790 flags 0x02 ; new off 10 xmax 0, blkref #0: rel 1663/16384/16454 blk 103, blkref #1: rel 1663/16384/16454 blk 0
rmgr: Heap        len (rec/tot):     54/    54, tx:        795, lsn: 0/0B006A90, prev 0/0B006A50, desc: DELETE off 9 flags 0x08 , blkref #0: rel 1663/16384/16454 blk 104
"""
SECOND = """\
rmgr: Heap        len (rec/tot):     79/    79, tx:       1042, lsn: 0/0B007000, prev 0/0B006FC8, desc: HOT_UPDATE old_xmax: 1042, old_off: 6, old_infobits: [], flags: 0x08, new_xmax: 0, new_off: 10, blkref #0: rel 1663/16384/16454 blk 103
"""
SECOND_ENDS = """\
rmgr: Transaction len (rec/tot):     34/    34, tx:       1042, lsn: 0/0B007080, prev 0/0B007000, desc: COMMIT 2026-11-23 23:03:45.125909 CET
"""
COMMITTED = datetime(2026, 11, 23, 22, 3, 44, 3611, tzinfo=UTC)


@dataclass
class Database:
    """A stack, its cluster, backups, member and connection in one: answers each question with what was recorded."""

    heap: str
    transactions: str
    folder: Path
    said: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    _row: tuple[Any, ...] = ()

    current: str = "00000002000000000000000B"  # the segment that is written now
    history: str | None = "1\t0/9000100\tno recovery target specified\n"
    segments: Sequence[str] = ()

    run_as = answers = archive = archived = restore_version = ""  # not asked here

    def fetch_command(self) -> str:
        return "fetch %f %p"

    @property
    def database_log(self) -> Path:
        return self.folder / "postgresql.log"

    @contextmanager
    def connect(self, member: object) -> Iterator[Database]:
        assert member is self
        yield self

    def execute(self, query: str, values: tuple[Any, ...]) -> Database:
        place = ("1663/16384/16454", self.current, "0/C000028", self.history)
        self._row = (COMMITTED,) if "pg_xact_commit_timestamp" in query else place
        return self

    def fetchone(self) -> tuple[Any, ...]:
        return self._row

    def read_changes(self, *words: str, files: Sequence[str], fetch: str) -> Done:
        assert fetch == "fetch %f %p"
        self.asked.append(words)
        self.segments = files
        out = self.heap if "Heap" in words else self.transactions
        return Done(words, int("error" in self.said), out, self.said, timedelta(0))


def find(tmp_path: Path, heap: str, transactions: str, *, said: str = "") -> Any:
    return find_in(Database(heap, transactions, tmp_path, said))


def find_in(database: Database, *, since: str = "0/B000060", timeline: int = 2) -> Any:
    database.database_log.write_text("22:03 user=operator statement: DELETE FROM financial_transactions WHERE true\n")
    stack, member = cast(Stack, database), cast(Member, database)
    found = find_mistake(stack, member, table="quantumnest.financial_transactions", since_lsn=since, timeline=timeline)
    assert all("--end" in words for words in database.asked)
    return found


def test_only_changed_and_deleted_rows_count() -> None:
    """Locks and inserts are no changes, nor is the row that an INSERT ... ON CONFLICT takes back."""
    assert changes((HEAP + TAKEN_BACK).splitlines()) == {"789": 1, "790": 1, "791": 1}
    assert changes(SECOND.splitlines()) == {"1042": 1}
    assert changes(OLDER.splitlines()) == {"789": 1, "790": 1}


def test_a_savepoint_ends_with_its_transaction() -> None:
    """Commits and rollbacks are told apart, and a number among the other words of a line is no transaction."""
    found = ends(ENDS.splitlines())
    assert found["789"] == found["790"] == found["788"] == Ended("788", "0/0B005950", committed=True)
    assert not found["791"].committed
    assert set(found) == {"787", "788", "789", "790", "791", "792"}


def test_the_one_transaction_that_committed_changes_is_found(tmp_path: Path) -> None:
    """It is named by its own id, also where savepoints made the changes; what was rolled back is no mistake."""
    found = find(tmp_path, HEAP, ENDS)
    assert (found.xid, found.rows, found.commit_lsn, found.committed) == ("788", 2, "0/0B005950", COMMITTED)
    assert found.logged == ("22:03 user=operator statement: DELETE FROM financial_transactions WHERE true",)


@pytest.mark.parametrize(
    ("heap", "transactions", "words"),
    [
        ("", ENDS, "no transaction since 0/B000060 changed or deleted rows"),
        (TAKEN_BACK, ENDS, "no transaction since"),
        (HEAP, ENDS.splitlines()[1], "transaction 789, 790 changed or deleted rows of .* and has not committed"),
        (HEAP + SECOND, ENDS + SECOND_ENDS, "2 transactions changed or deleted rows of .*: 788, 1042"),
    ],
    ids=["nothing", "taken back", "open", "two"],
)
def test_where_there_is_not_exactly_one_it_says_so(tmp_path: Path, heap: str, transactions: str, words: str) -> None:
    """No transaction, one that is still open, or two: none is guessed, and all are named."""
    with pytest.raises(MistakeNotFound, match=words):
        find(tmp_path, heap, transactions)


def test_remarks_of_pg_waldump_are_no_errors(tmp_path: Path) -> None:
    """A start at the edge of a page is remarked upon, and the log is read whole."""
    remark = "pg_waldump: first record is after 0/B002000, at 0/B002018, skipping over 24 bytes"
    assert find(tmp_path, HEAP, ENDS, said=remark).xid == "788"


def test_a_log_that_cannot_be_read_whole_finds_nothing(tmp_path: Path) -> None:
    """What could not be read may hold a second mistake, so that one that was read does not count."""
    with pytest.raises(MistakeNotFound, match="could not find file"):
        find(tmp_path, HEAP, ENDS, said='pg_waldump: error: could not find file "000000020000000000000007"')


@pytest.mark.parametrize(
    ("since", "timeline", "begin", "segments"),
    [
        ("0/A000060", 2, "0/A000060", [(2, 10), (2, 11), (2, 12)]),
        ("0/8000060", 1, "0/8000060", [(1, 8), (2, 9), (2, 10), (2, 11), (2, 12)]),
        ("0/A000060", 1, "0/9000100", [(2, 9), (2, 10), (2, 11), (2, 12)]),
    ],
    ids=["the same timeline", "before the branch", "behind the branch, on the old timeline"],
)
def test_the_log_is_read_along_the_timeline_of_now(
    tmp_path: Path, since: str, timeline: int, begin: str, segments: list[tuple[int, int]]
) -> None:
    """What was written on an old timeline behind the branch is not there any more: the new one is read from there."""
    database = Database(HEAP, ENDS, tmp_path)
    assert find_in(database, since=since, timeline=timeline).xid == "788"
    assert [wal.segment_at(name) for name in database.segments] == segments
    assert all(words[:2] == ("--start", begin) for words in database.asked)


@pytest.mark.parametrize(("history", "timeline"), [(None, 1), ("1\t0/9000100\tno recovery target specified\n", 3)])
def test_a_timeline_of_unknown_descent_finds_nothing(tmp_path: Path, history: str | None, timeline: int) -> None:
    """Without the history nobody knows what was written since; nothing is read at all."""
    database = Database(HEAP, ENDS, tmp_path, history=history)
    with pytest.raises(MistakeNotFound, match=f"sound on timeline {timeline}, which timeline 2 is not known"):
        find_in(database, timeline=timeline)
    assert not database.asked
