"""Find the transaction that destroyed rows, from what a team has: the database's log and its write-ahead log.

The application only ever inserts into the table, so whoever updated or deleted rows of it is the one looked for.
The recovery point is that transaction's id: everything that committed before it is kept, it and what follows is not.
The log is read along the timeline that the database is on now; what the server has no more comes from the archive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.errors import DrillError
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, Branch
from harness.stacks.capabilities.database import LogReadable, Member, Queried
from harness.stacks.parts import wal

CHANGE = re.compile(r"tx:\s+(\d+), lsn: .* desc: (DELETE|UPDATE|HOT_UPDATE) .*?flags:? 0x([0-9A-F]{2})")
END = re.compile(r"tx:\s+(\d+), lsn: ([0-9A-F/]+), .* desc: (COMMIT|ABORT) (.*)")
SUBTRANSACTIONS = re.compile(r"subxacts:((?: \d+)+)")
TAKEN_BACK = 0x08  # of a DELETE, XLH_DELETE_IS_SUPER: an INSERT ... ON CONFLICT that came second undoes its own row

PLACE = """
    SELECT format('%%s/%%s/%%s', CASE WHEN c.reltablespace = 0 THEN d.dattablespace ELSE c.reltablespace END,
                  d.oid, pg_relation_filenode(c.oid)),
           now.segment, pg_current_wal_flush_lsn()::text,
           pg_read_file('pg_wal/' || left(now.segment, 8) || '.history', 0, 1000000, true)
    FROM pg_class c, pg_database d, (SELECT pg_walfile_name(pg_current_wal_lsn()) AS segment) now
    WHERE c.oid = %s::regclass AND d.datname = current_database()
"""


class MistakeNotFound(DrillError):
    """Nothing in the write-ahead log changed or deleted rows of the table, or more than one transaction did."""


@dataclass(frozen=True)
class Mistake:
    """The transaction that destroyed rows."""

    xid: str
    commit_lsn: str
    committed: datetime
    rows: int  # records of UPDATE and DELETE
    logged: tuple[str, ...]  # the lines of the database's log that name the table


@dataclass(frozen=True)
class Ended:
    """How a transaction ended."""

    xid: str  # of the transaction itself, where a savepoint inside it was asked for
    lsn: str
    committed: bool


def changes(heap: Iterable[str]) -> Counter[str]:
    """How many rows each transaction changed or deleted, from pg_waldump's lines about one table."""
    found: Counter[str] = Counter()
    for match in filter(None, map(CHANGE.search, heap)):
        if match[2] != "DELETE" or not int(match[3], 16) & TAKEN_BACK:
            found[match[1]] += 1
    return found


def ends(transactions: Iterable[str]) -> dict[str, Ended]:
    """How each transaction ended, from pg_waldump's lines. A savepoint has an id of its own: it ends with its whole."""
    found = {}
    for match in filter(None, map(END.search, transactions)):
        inner = SUBTRANSACTIONS.search(match[4])
        for xid in (match[1], *(inner[1].split() if inner else ())):
            found[xid] = Ended(match[1], match[2], committed=match[3] == "COMMIT")
    return found


def find_mistake(
    stack: Stack, member: Member, *, table: str, since_lsn: str, timeline: int, until_lsn: str = ""
) -> Mistake:
    """Look through the write-ahead log of `member` from where the books were last known to be sound.

    `until_lsn`: where the damage is known to have been there; else up to now.

    Errors: `MistakeNotFound`.
    """
    with need(stack, Queried).connect(member) as connection:
        row = connection.execute(PLACE, (table,)).fetchone()
    if row is None:
        raise MistakeNotFound(f"there is no table {table}", hint="name it with its schema")
    relation, current, flushed, history = row
    until = until_lsn or flushed
    newest, past = wal.segment_at(current)[0], wal.branches(history or "")
    begin = _first(wal.position(since_lsn), timeline, newest=newest, past=past)
    segments = wal.between(begin, wal.position(until), newest=newest, past=past)

    def lines(*words: str) -> list[str]:
        # Without an end, pg_waldump waits five seconds for the segment that will be written next.
        bounds = ("--start", wal.lsn(begin), "--end", until)
        done = need(member, LogReadable).read_changes(
            *bounds, *words, files=segments, fetch=need(stack, Archive).fetch_command()
        )
        if not done.ok:  # what could not be read may hold the mistake, or a second one
            raise MistakeNotFound(
                f"the write-ahead log cannot be read from {wal.lsn(begin)} to {until}: {done.err.strip()[-300:]}",
                hint="look for the missing segments on the other servers, and find the transaction there",
            )
        return done.out.splitlines()

    found, ended = changes(lines("--rmgr", "Heap", "--relation", relation)), ends(lines("--rmgr", "Transaction"))
    xid, rows, commit_lsn = _the_one(found, ended, table, since_lsn)
    with need(stack, Queried).connect(
        member
    ) as connection:  # pg_waldump prints the time too, in the zone of whoever runs it
        stamp = connection.execute("SELECT pg_xact_commit_timestamp(%s::xid)", (xid,)).fetchone()
    if stamp is None or stamp[0] is None:
        raise MistakeNotFound(
            f"transaction {xid} has no commit timestamp", hint="switch track_commit_timestamp on before the next time"
        )
    return Mistake(xid=xid, commit_lsn=commit_lsn, committed=stamp[0], rows=rows, logged=_logged(member, table))


def _first(since: int, timeline: int, *, newest: int, past: Sequence[Branch]) -> int:
    """Where to begin: where the books were sound, or where that timeline was left if they were looked at behind it."""
    if timeline == newest:
        return since
    left = next((branch.until for branch in past if branch.history == timeline), None)
    if left is None:
        raise MistakeNotFound(
            f"the books were sound on timeline {timeline}, which timeline {newest} is not known to descend from",
            hint=f"look for {newest:08X}.history in the archive: it says where each timeline was left",
        )
    return min(since, left)


def _the_one(found: Counter[str], ended: dict[str, Ended], table: str, since: str) -> tuple[str, int, str]:
    """The only transaction that committed changes: its id, how many, and where it committed."""
    committed: Counter[str] = Counter()
    for xid, rows in found.items():
        if xid in ended and ended[xid].committed:
            committed[ended[xid].xid] += rows
    if len(committed) > 1:
        names = ", ".join(sorted(committed, key=int))
        raise MistakeNotFound(
            f"{len(committed)} transactions changed or deleted rows of {table}: {names}",
            hint="decide by the database's log which of them is the first mistake",
        )
    if committed:
        ((xid, rows),) = committed.items()
        return xid, rows, ended[xid].lsn
    if still_open := sorted(set(found) - set(ended), key=int):
        raise MistakeNotFound(
            f"transaction {', '.join(still_open)} changed or deleted rows of {table} and has not committed",
            hint="end the session that runs it: nothing of it stays, and nothing needs to be restored",
        )
    raise MistakeNotFound(
        f"no transaction since {since} changed or deleted rows of {table}",
        hint="look in the database's log for TRUNCATE and DROP, which leave no such records",
    )


def _logged(member: Member, table: str) -> tuple[str, ...]:
    """The audit lines of the database's log that name the table: who, when, and with what statement."""
    name = table.rpartition(".")[2]
    statement = re.compile(rf"statement:.*(UPDATE|DELETE).*{re.escape(name)}")
    lines = need(member, LogReadable).database_log.read_text(errors="replace").splitlines()
    return tuple([line[:300] for line in lines if statement.search(line)][-4:])
