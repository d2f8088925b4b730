"""The repair of a damaged index: rows first, on every server; then the index; and what it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drills.noticing import DatabaseLog
from harness.checks import Outcome
from harness.checks.answer import answer
from harness.checks.evidence import Expectation
from harness.checks.rules import CURRENT
from harness.procedures.looks import NotSound
from harness.procedures.rebuild_index import CHECK, RebuildIndex
from harness.system.recorder import Memory
from tests.fake_stack import FakeStack
from tests.histories import History, lost_volumes


class Corrupted(Exception):
    sqlstate = "XX002"


class Away(Exception):
    sqlstate = "57P01"


class Answer:
    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    def fetchone(self) -> tuple[Any, ...]:
        return self.rows[0]


class Servers:
    """What each server is asked, in order, and what it says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.damaged: dict[str, set[str]] = {"patroni-a": {"accounts_pkey"}}  # indexes by server
        self.rows: dict[str, list[tuple[Any, ...]]] = {}  # what verify_heapam finds
        self.raises: Callable[[str], Exception] = lambda index: Corrupted(f"invalid page of {index}\nDETAIL: no")

    def connect(self, member: Any = None) -> Connection:
        return Connection(self, member.name if member else "patroni-a")


class Connection:
    def __init__(self, servers: Servers, name: str) -> None:
        self.servers, self.name = servers, name

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: Any, params: Any = None) -> Answer:
        self.servers.asked.append((self.name, str(query)))
        if query == CHECK and params[0] in self.servers.damaged.get(self.name, ()):
            raise self.servers.raises(params[0])
        if str(query).startswith("REINDEX"):
            self.servers.damaged.get("patroni-a", set()).discard(str(query).split()[-1])
        if "indexrelid" in str(query):
            return Answer([("accounts_pkey", "accounts"), ("created_at_idx", "payments")])
        if "verify_heapam" in str(query):
            return Answer(self.servers.rows.get(self.name, []))
        return Answer([(7,)])


@pytest.fixture
def servers() -> Servers:
    return Servers()


def repair(servers: Servers, *, books: list[str] | None = None, skip: frozenset[str] = frozenset()) -> Repair:
    return Repair(servers, books or [], skip)


class Repair:
    def __init__(self, servers: Servers, books: list[str], skip: frozenset[str]) -> None:
        stack = FakeStack()
        stack.fake_cluster.leads = stack.fake_cluster.members[0]
        stack.fake_cluster.connect = servers.connect
        self.memory = Memory()
        self.procedure = RebuildIndex(stack, lambda connection: books, self.memory, skip=skip).procedure()

    def carry_out(self) -> list[dict[str, Any]]:
        for phase in ("repair", "verify", "serve"):
            self.procedure.run(phase)
        return [data for kind, data in self.memory.facts if kind == "step.end"]


def test_rows_are_proved_on_every_server_before_the_index_is_rebuilt(servers: Servers) -> None:
    """And the index afterwards, on every server; only what is damaged is rebuilt."""
    one = repair(servers)
    found, proved, rebuilt, index, _ = one.carry_out()
    assert found["facts"] == {"damaged": {"accounts_pkey": "invalid page of accounts_pkey"}}
    assert set(proved["facts"]["sound"]["accounts"]) == {"patroni-a", "patroni-b", "patroni-c"}
    assert rebuilt["facts"] == {"rebuilt": {"accounts_pkey": "accounts"}}
    assert set(index["facts"]) == {"patroni-a", "patroni-b", "patroni-c"}
    queries = [query for _, query in servers.asked]
    first = next(at for at, query in enumerate(queries) if query.startswith("REINDEX"))
    assert [query for query in queries if "REINDEX" in query] == ["REINDEX INDEX CONCURRENTLY accounts_pkey"]
    assert {name for name, query in servers.asked[:first] if "verify_heapam" in query} == {
        "patroni-a", "patroni-b", "patroni-c",
    }  # fmt: skip  # a set
    kinds = [kind for kind, _ in one.memory.facts if kind in ("verified", "in_service")]
    assert kinds == ["verified", "in_service"]


@pytest.mark.parametrize(("where", "books"), [("patroni-a", []), ("patroni-c", []), ("", ["balances: sum"])])
def test_nothing_is_rebuilt_from_rows_that_are_not_sound(servers: Servers, where: str, books: list[str]) -> None:
    """Damaged in their form on any server, or in what they say."""
    if where:
        servers.rows[where] = [(3, "xmin is in the future")]
    with pytest.raises(NotSound, match=f"of accounts on {where} are damaged" if where else "balances: sum"):
        repair(servers, books=books).carry_out()
    assert not [query for _, query in servers.asked if "REINDEX" in query]


def test_an_index_that_is_still_damaged_on_a_copy_is_not_verified(servers: Servers) -> None:
    """The leader alone is not enough."""
    servers.damaged["patroni-c"] = {"accounts_pkey"}
    one = repair(servers)
    with pytest.raises(NotSound, match="patroni-c: accounts_pkey: invalid page"):
        one.carry_out()
    (verified,) = [data for kind, data in one.memory.facts if kind == "verified"]
    assert [check["ok"] for check in verified["checks"]] == [True, True, False] and not verified["ok"]
    assert "in_service" not in [kind for kind, _ in one.memory.facts]


def test_where_no_index_is_damaged_nothing_is_touched(servers: Servers) -> None:
    """And a server that is away is not taken for a damaged index."""
    servers.damaged = {}
    with pytest.raises(NotSound, match="no index of the leader is damaged"):
        repair(servers).carry_out()
    servers.damaged, servers.raises = {"patroni-a": {"accounts_pkey"}}, lambda index: Away("terminated")
    with pytest.raises(Away):
        repair(servers).carry_out()


# What it is judged by


def repaired(*, proves: bool = True, tables: tuple[str, ...] = ("accounts",), late: bool = False) -> History:
    history = lost_volumes()
    sound = {table: {"patroni-a": "7 rows read, nothing found"} for table in tables}
    step = {"phase": "repair", "seconds": 1.0}
    if proves:
        facts = {"sound": sound, "books": "as at the last check"}
        history.say(39.0 if late else 35.0, "step.end", name="prove-the-heap", ok=True, facts=facts, **step)
    history.say(36.0, "step.begin", name="rebuild-the-index", does="…", phase="repair")
    rebuilt = {"rebuilt": {"accounts_pkey": "accounts"}}
    history.say(37.0, "step.end", name="rebuild-the-index", ok=True, facts=rebuilt, **step)
    return history


def outcome(history: History) -> Outcome:
    return answer(CURRENT.checks["heap-proved"], history.evidence(), Expectation("heap-proved")).outcome


def test_rows_that_were_not_proved_before_are_missed() -> None:
    """Not at all, too late, or of another table."""
    assert outcome(repaired()) is Outcome.MET
    assert outcome(repaired(proves=False)) is Outcome.MISSED
    assert outcome(repaired(late=True)) is Outcome.MISSED
    assert outcome(repaired(tables=("payments",))) is Outcome.MISSED
    failed = repaired()
    failed.drop("step.end", where=lambda data: data["name"] == "prove-the-heap")
    failed.say(35.0, "step.end", name="prove-the-heap", phase="repair", ok=False, seconds=1.0, facts={"error": "no"})
    assert outcome(failed) is Outcome.MISSED


def test_where_nothing_was_rebuilt_nothing_is_known() -> None:
    """Nor where the rebuilding has no end."""
    history = repaired()
    history.drop("step.end", where=lambda data: data["name"] == "rebuild-the-index")
    assert outcome(history) is Outcome.UNKNOWN
    history.drop("step.begin", where=lambda data: data["name"] == "rebuild-the-index")
    assert outcome(history) is Outcome.UNKNOWN


def test_the_log_tells_the_applications_trouble_and_not_that_of_who_looks(tmp_path: Path) -> None:
    """Only what is written from then on."""
    path = tmp_path / "postgresql.log"
    line = "2026-11-29 05:44:14 UTC [7] xid=0 user={} app=x ERROR:  invalid page in block 21 of relation base/1/2\n"
    path.write_text(line.format("quantumnest_app"))
    log = DatabaseLog(path)
    with path.open("a") as sink:
        sink.write(line.format("postgres") + "2026-11-29 LOG: checkpoint starting\n")
    assert log.look() == ""
    with path.open("a") as sink:
        sink.write(line.format("quantumnest_app"))
    assert "invalid page in block 21" in log.look()
