"""Find the transaction that destroyed rows, from what a team has: the database's log and its write-ahead log.

The application only ever inserts into the table, so whoever updated or deleted rows of it is the one looked for.
The recovery point is that transaction's id: everything that committed before it is kept, it and what follows is not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import DrillError
from harness.stacks import Cluster, Member

HEAP = re.compile(r"tx:\s+(\d+), lsn: \S+ .*desc: (DELETE|UPDATE|HOT_UPDATE)")
COMMIT = re.compile(r"tx:\s+(\d+), lsn: (\S+), .*desc: COMMIT (\S+ \S+) (\S+?);?(?:\s|$)")


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


def find_mistake(cluster: Cluster, member: Member, *, table: str, since_lsn: str) -> Mistake:
    """Look through the write-ahead log of `member` from `since_lsn` (where the books were last known to be sound).

    Errors: `MistakeNotFound`.
    """
    with cluster.connect(member) as connection:
        row = connection.execute(
            "SELECT format('%%s/%%s/%%s', CASE WHEN c.reltablespace = 0 THEN d.dattablespace ELSE c.reltablespace END,"
            " d.oid, pg_relation_filenode(c.oid)), pg_walfile_name(%s::pg_lsn)"
            " FROM pg_class c, pg_database d WHERE c.oid = %s::regclass AND d.datname = current_database()",
            (since_lsn, table),
        ).fetchone()
    if row is None:
        raise MistakeNotFound(f"there is no table {table}", hint="name it with its schema")
    relation, segment = row
    timeline = str(int(segment[:8], 16))
    wal = ("--path", str(member.data / "pg_wal"), "--timeline", timeline, "--start", since_lsn)
    heap = member.program("pg_waldump", *wal, "--rmgr", "Heap", "--relation", relation)
    changes = Counter(match[1] for match in map(HEAP.search, heap.out.splitlines()) if match)
    if not changes:
        raise MistakeNotFound(
            f"no transaction since {since_lsn} changed or deleted rows of {table}",
            hint=f"pg_waldump said: {heap.err.strip()[-300:] or 'nothing'}",
        )
    xid, rows = changes.most_common(1)[0]
    if len(changes) > 1:
        raise MistakeNotFound(
            f"{len(changes)} transactions changed or deleted rows of {table}: {', '.join(sorted(changes))}",
            hint="decide by the database's log which of them is the first mistake",
        )
    commits = member.program("pg_waldump", *wal, "--rmgr", "Transaction", "--xid", xid)
    commit = next((match for match in map(COMMIT.search, commits.out.splitlines()) if match and match[1] == xid), None)
    if commit is None:
        raise MistakeNotFound(f"transaction {xid} has not committed", hint="end the session that runs it")
    return Mistake(
        xid=xid,
        commit_lsn=commit[2],
        committed=datetime.fromisoformat(commit[3]).replace(tzinfo=UTC),
        rows=rows,
        logged=_logged(member, table),
    )


def _logged(member: Member, table: str) -> tuple[str, ...]:
    """The audit lines of the database's log that name the table: who, when, and with what statement."""
    name = table.rpartition(".")[2]
    statement = re.compile(rf"statement:.*(UPDATE|DELETE).*{re.escape(name)}")
    lines = member.database_log.read_text(errors="replace").splitlines()
    return tuple([line[:300] for line in lines if statement.search(line)][-4:])
