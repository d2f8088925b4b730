"""Mistakes that harm nothing, made by psql, and looked for as the procedure does: `python -m tests.real.searching`.

Runs in the sandbox of a stack that was brought up by hand: there is no journal, no fault and no undo, and the recorder
cannot be read.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, NoReturn

from harness.procedures.find_mistake import Mistake, MistakeNotFound, find_mistake
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.entrance import Reachable
from harness.stacks.local.stack import LocalStack
from harness.stacks.parts import wal
from harness.stacks.parts.visitor import Visitor
from harness.system import clock

TABLE = "quantumnest.financial_transactions"
LIMIT = 3.0  # seconds; pg_waldump without an end waits for five


class OutOfReach:
    """Takes what is recorded, and fails whoever wants to read it."""

    def record(self, kind: str, **data: Any) -> None:
        """Nobody keeps it."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the procedure has read the record: {name}")


class Scene:
    """A stack, its operator and its customers."""

    def __init__(self) -> None:
        self.stack = LocalStack.attach(Path(os.environ["STACK_FOLDER"]), recorder=OutOfReach())
        leader = need(self.stack, Cluster).leader()
        assert leader is not None
        self.leader = leader
        self.visitor = Visitor(need(self.stack, Reachable).entrance)
        self.number = 0

    def psql(self, *commands: str) -> str:
        """All in one session; what it printed."""
        words = [word for command in commands for word in ("-c", command)]
        ended = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.leader.dsn, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def customer(self) -> None:
        self.number += 1
        body = {"origin": "searching", "number": self.number, "from": 1, "to": 2, "amount": "1.00"}
        status, answer = self.visitor.ask("POST", "/transactions", body)
        assert status == 201, answer

    def mistake(self, *statements: str) -> str:
        """The id of a transaction with these statements, which commits."""
        return self.psql("BEGIN", "SELECT pg_current_xact_id()", *statements, "COMMIT").splitlines()[0]

    def position(self) -> str:
        return self.psql("SELECT pg_current_wal_lsn()")

    def find(self, since: str) -> Mistake | str:
        """What is found, or why nothing is."""
        try:
            segment = self.psql("SELECT pg_walfile_name(pg_current_wal_lsn())")
            timeline = wal.segment_at(segment)[0]
            return find_mistake(self.stack, self.leader, table=TABLE, since_lsn=since, timeline=timeline)
        except MistakeNotFound as error:
            return error.message


def main() -> None:
    os.environ["TZ"] = "Asia/Kolkata"  # wherever the team is, the time of the commit is the same
    scene = Scene()
    since = scene.position()
    scene.customer()
    scene.psql("BEGIN", f"DELETE FROM {TABLE} WHERE id <= 50", "ROLLBACK")
    scene.customer()
    assert scene.find(since) == f"no transaction since {since} changed or deleted rows of {TABLE}"

    began = clock.now().utc
    update = f"UPDATE {TABLE} SET amount = amount WHERE id <= 40"
    delete = f"WITH gone AS (DELETE FROM {TABLE} WHERE id = 50 RETURNING *) SELECT count(*) FROM gone"
    keep = f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {TABLE} WHERE id = 50"
    bring_back = f"INSERT INTO {TABLE} SELECT * FROM kept"
    first = scene.mistake(keep, update, "SAVEPOINT part", delete, "RELEASE part", bring_back)
    ended = clock.now().utc
    scene.customer()
    looked = clock.mono()
    found = scene.find(since)
    took = clock.since(looked).total_seconds()
    assert isinstance(found, Mistake), found
    assert (found.xid, found.rows) == (first, 41), found
    assert began <= found.committed <= ended, found
    assert took < LIMIT, took

    between = scene.position()
    second = scene.mistake(f"UPDATE {TABLE} SET amount = amount WHERE id = 7")
    assert scene.find(since) == f"2 transactions changed or deleted rows of {TABLE}: {first}, {second}"
    only = scene.find(between)
    assert isinstance(only, Mistake) and (only.xid, only.rows) == (second, 1), only


if __name__ == "__main__":
    main()
