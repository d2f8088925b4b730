"""Rebuild an index that is damaged from the rows of its table, while customers are served, and without a backup.

An index is made of the rows, so it is never more sound than they are: first they are proved, on every server, without
any index; only then is it rebuilt; and what was rebuilt is proved against the rows, on every server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.procedures import Facts, Procedure, Step
from harness.procedures.looks import AS_BEFORE, NotSound
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Connection, Member, Queried
from harness.system import wait
from harness.system.recorder import Recorder

CATCH_UP = timedelta(seconds=60)
NAME = "amcheck"  # as which its sessions are known in the database's log
INDEXES = """
    SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index
    JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = index.relam
    WHERE amname = 'btree' AND indisvalid AND index.relpersistence = 'p'
    AND index.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1
"""
CHECK = "SELECT bt_index_check(%s::regclass, heapallindexed => true)"
# Rows are read in the order in which they lie, and found by no index.
WITHOUT_INDEXES = (
    "SET enable_indexscan = off", "SET enable_indexonlyscan = off", "SET enable_bitmapscan = off",
)  # fmt: skip  # a list


@dataclass
class RebuildIndex:
    """One repair under way. `books` says what of the books, read without any index, is not as at the last check.

    `skip` exists for sabotage twins alone: steps that are left out.
    """

    needs: ClassVar[tuple[Any, ...]] = (Cluster, Queried)
    stack: Stack
    books: Callable[[Connection], list[str]]
    recorder: Recorder
    skip: frozenset[str] = frozenset()
    _damaged: dict[str, str] = field(init=False, default_factory=dict)  # the table of each damaged index

    def procedure(self) -> Procedure:
        """The list of steps, made as data."""
        steps = (
            Step("repair", "find-the-damaged-index", "Check every index of the leader against the rows of its table, "
                 "with amcheck", self._find),
            Step("repair", "prove-the-heap", "Read every row of these tables on every server without an index, check "
                 "its form with amcheck, and compare the books with the last check", self._prove_heap),
            Step("repair", "rebuild-the-index", "Rebuild it from the rows while customers go on (REINDEX CONCURRENTLY)",
                 self._rebuild),
            Step("verify", "prove-the-index", "Check every index against the rows of its table, on every server that "
                 "has replayed the rebuilding", self._prove_index),
            Step("serve", "count-failures-anew", "Have the database count failed checksums from zero again, so that "
                 "the next one shows", self._count_anew),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self.skip and step.phase not in self.skip)
        return Procedure("rebuild-index", kept, recorder=self.recorder)

    def _find(self) -> Facts:
        with self._leading() as connection:
            tables = dict(connection.execute(INDEXES).fetchall())
            said = damaged_indexes(connection)
        self._damaged = {index: tables[index] for index in said}
        if not said:
            raise NotSound("no index of the leader is damaged", hint="look for another cause")
        return {"damaged": said}

    def _prove_heap(self) -> Facts:
        sound = {
            table: {member.name: self._rows(member, table) for member in need(self.stack, Cluster).members}
            for table in sorted(set(self._damaged.values()))
        }
        with self._leading() as connection:
            for setting in WITHOUT_INDEXES:
                connection.execute(setting)
            wrong = self.books(connection)
        if wrong:
            raise NotSound(
                f"the rows are not sound: {'; '.join(wrong)}", hint="restore them: no index makes them right"
            )
        return {"sound": sound, "books": AS_BEFORE}

    def _rows(self, member: Member, table: str) -> str:
        """What was read. Errors: `NotSound`; what the driver raises where a page cannot be read."""
        with need(self.stack, Queried).connect(member) as connection:
            connection.execute(f"SET application_name = '{NAME}'")
            for setting in WITHOUT_INDEXES:
                connection.execute(setting)
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            found = connection.execute("SELECT blkno, msg FROM verify_heapam(%s::regclass)", (table,)).fetchall()
        if found:
            page, said = found[0]
            raise NotSound(
                f"{len(found)} rows of {table} on {member.name} are damaged, the first on page {page}: {said}",
                hint="rebuild that server, or restore: an index that is made of these rows would hide it",
            )
        return f"{rows} rows read, nothing found"

    def _rebuild(self) -> Facts:
        with self._leading() as connection:
            for index in self._damaged:
                connection.execute(f"REINDEX INDEX CONCURRENTLY {index}")
        return {"rebuilt": self._damaged}

    def _prove_index(self) -> Facts:
        with self._leading() as connection:
            (written,) = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        checks = [self._proved(member, written) for member in need(self.stack, Cluster).members]
        wrong = [f"{each['name']}: {each['seen']}" for each in checks if not each["ok"]]
        self.recorder.record("verified", ok=not wrong, checks=checks)
        if wrong:
            raise NotSound(f"indexes are damaged after the repair: {'; '.join(wrong)}", hint="rebuild that server")
        return {each["name"]: each["seen"] for each in checks}

    def _proved(self, member: Member, written: str) -> dict[str, Any]:
        with need(self.stack, Queried).connect(member) as connection:
            replayed = "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= %s::pg_lsn"  # the leader has none
            wait.until(
                lambda: connection.execute(replayed, (written,)).fetchone()[0],
                what=f"{member.name} has replayed the rebuilding",
                within=CATCH_UP,
                recorder=self.recorder,
            )
            many = len(connection.execute(INDEXES).fetchall())
            said = damaged_indexes(connection)
        seen = "; ".join(f"{index}: {why}" for index, why in said.items())
        return {"name": member.name, "ok": not said, "seen": seen or f"{many} indexes hold every row, nothing found"}

    def _count_anew(self) -> Facts:
        with self._leading() as connection:
            (failures,) = connection.execute(
                "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
            connection.execute("SELECT pg_stat_reset()")
        leader = need(self.stack, Cluster).leader()
        self.recorder.record("in_service", member=leader.name if leader else "", how="it served all along")
        return {"failed checksums until now": failures}

    def _leading(self) -> Connection:
        """Errors: `NotReady`."""
        leader = need(self.stack, Cluster).leader()
        if leader is None:
            raise NotReady("nobody leads", hint="read the logs of the database servers")
        connection = need(self.stack, Queried).connect(leader)
        connection.execute(f"SET application_name = '{NAME}'")
        return connection


def damaged_indexes(connection: Connection) -> dict[str, str]:
    """What amcheck says of each index that does not fit the rows of its table, or cannot be read."""
    connection.execute(f"SET application_name = '{NAME}'")
    found = {}
    for index, _ in connection.execute(INDEXES).fetchall():
        try:
            connection.execute(CHECK, (index,))
        except Exception as error:
            if getattr(error, "sqlstate", None) not in ("XX001", "XX002"):  # data, or an index, is corrupted
                raise
            found[index] = str(error).strip().splitlines()[0]
    return found
