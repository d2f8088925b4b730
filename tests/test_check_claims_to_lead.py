"""Two servers that say that they lead, and health that says what customers do not see: each check can turn red."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.checks import Finding, Outcome
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from harness.errors import NotReady
from harness.run.run import Run
from harness.scenario.leader_watch import LeaderWatch, look
from harness.stacks import Stack
from harness.system.recorder import Memory
from tests.fake_stack import FakeStack
from tests.histories import INTENT, History, ns, request
from tests.zone_cuts import HEALTHY, LAST, OUTSIDE, PROMOTED, a_zone_cut

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
END = int(LAST)


def found(name: str, history: History, limit: float | None = None) -> Finding:
    """What the judge says where the sentences ask for this one thing."""
    history.drop("expect")
    history.expect(name, limit)
    return next(each for each in judge(history.evidence()) if each.id == name)


def looked(
    leading: Callable[[int], list[str]], *, silent: Callable[[int], list[str]] = lambda at: [], until: int = END,
    but: range = range(0),
) -> History:  # fmt: skip  # parameters in groups
    """Each second from the third on, five looks a line: who led at that second, and who said nothing."""
    history = a_zone_cut()
    looks = [[ns(at), ns(at + 0.2), leading(at), silent(at)] for at in range(3, until) if at not in but]
    for begin in range(0, len(looks), 5):
        part = looks[begin : begin + 5]
        history.say((part[-1][1] - ns(0)) / 1e9 + 0.1, "leaders.looks", looks=part)
    return history


def handed_over(at: int) -> list[str]:
    return ["db-a"] if at < INTENT else [] if at < PROMOTED else ["db-b"]


CASES: list[tuple[str, Callable[[], History], Outcome]] = [
    ("one after the other", lambda: looked(handed_over), MET),
    ("two, once", lambda: looked(lambda at: ["db-a", "db-b"] if at == 60 else handed_over(at)), MISSED),
    ("two, once, and nobody knows the rest", lambda: looked(
        lambda at: ["db-a", "db-b"] if at == 60 else [], silent=lambda at: ["db-a"]), MISSED),
    ("one is silent for a moment", lambda: looked(handed_over, silent=silent_until(40)), MET),
    ("one is silent for long", lambda: looked(handed_over, silent=silent_until(45)), UNKNOWN),
    ("nobody looked", a_zone_cut, UNKNOWN),
    ("nobody looked for long", lambda: looked(handed_over, but=range(40, 55)), UNKNOWN),
    ("nobody looked any more", lambda: looked(handed_over, until=80), UNKNOWN),
    ("no look", lambda: odd([[ns(5), "never", ["db-a"], []]]), UNKNOWN),
    ("a look from the future", lambda: odd([[ns(5), ns(500), ["db-a"], []]]), UNKNOWN),
    ("half a look", lambda: odd([[ns(5)]]), UNKNOWN),
]  # fmt: skip  # a table


def silent_until(end: int) -> Callable[[int], list[str]]:
    return lambda at: ["db-a"] if 31 < at < end else []


def odd(looks: list[Any]) -> History:
    history = looked(handed_over)
    history.say(6, "leaders.looks", looks=looks)
    return history


@pytest.mark.parametrize(("made", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_two_leaders_are_a_finding_and_silence_is_no_answer(made: Callable[[], History], expected: Outcome) -> None:
    """Whoever gave no answer for long may have led all that time."""
    assert found("one-leader", made()).outcome is expected


def test_who_led_at_once_is_told_with_how_long() -> None:
    """And in how many of all looks."""
    finding = found("one-leader", looked(lambda at: ["db-b", "db-a"] if 60 <= at < 64 else handed_over(at)))
    assert (finding.figure, finding.unit) == (4.0, "looks")
    assert finding.reason.startswith(
        f"db-a and db-b said that they lead at once, in 4 of {END - 3} looks, within 3.200 s"
    )


# How it is looked


class Servers:
    """A cluster whose servers say in turn what they are told to say."""

    kind = "fake"

    def __init__(self, *said: Mapping[str, bool | None] | Exception) -> None:
        self.said = list(said)
        self.members = [SimpleNamespace(name="db-1"), SimpleNamespace(name="db-2")]
        self.asked = 0

    def leader(self) -> None:
        """Nobody's business here."""

    def healthy(self) -> list[Any]:
        return []

    def claims(self) -> Mapping[str, bool | None]:
        said = self.said[min(self.asked, len(self.said) - 1)]
        self.asked += 1
        if isinstance(said, Exception):
            raise said
        return said


BOTH = {"db-1": True, "db-2": True}


@pytest.mark.parametrize(
    ("said", "leading", "silent"),
    [
        (({"db-1": True, "db-2": False},), ["db-1"], []),
        ((BOTH, BOTH), ["db-1", "db-2"], []),
        ((BOTH, {"db-1": False, "db-2": True}), ["db-2"], []),
        (({"db-1": None, "db-2": True},), ["db-2"], ["db-1"]),
        (({"db-2": True},), ["db-2"], ["db-1"]),
        ((NotReady("gone", hint=""),), [], ["db-1", "db-2"]),
        ((KeyError("odd"),), [], ["db-1", "db-2"]),
    ],
)
def test_a_lead_that_moves_while_it_is_asked_for_is_not_two(
    said: tuple[Any, ...], leading: list[str], silent: list[str]
) -> None:
    """Who says yes is asked again where another one does, too; who cannot be asked is silent, and breaks nothing."""
    asked, told, *found_ = look(cast(Stack, Servers(*said)))
    assert found_ == [leading, silent] and asked <= told


def test_where_no_server_says_it_they_are_asked_who_takes_writes() -> None:
    """As of the machine's own kinds."""
    stack: Any = FakeStack()
    stack.writable = {"patroni-a": True, "patroni-b": False, "patroni-c": None}.__getitem__
    stack.holder, stack.comes_back_as_copy = str, str
    assert look(stack)[2:] == (["patroni-a"], ["patroni-c"])


def test_a_watch_looks_at_once_and_tells_all_at_its_end() -> None:
    """Ended twice, or never begun, it does no harm."""
    memory = Memory()
    watch = LeaderWatch(cast(Run, SimpleNamespace(stack=Servers({"db-1": True, "db-2": False}), journal=memory)))
    watch.end()
    assert memory.facts == []
    watch.begin()
    watch.begin()
    watch.end()
    watch.end()
    ((kind, data),) = memory.facts
    assert kind == "leaders.looks" and [each[2:] for each in data["looks"]] == [[["db-1"], []]]


# Health, and what customers see


def blind(*, served_from: float, health_ok: bool = True) -> History:
    """The old leader is back, and all that is written goes to it, or to nobody: health says 200 all the same."""
    history = a_zone_cut()
    history.requests[OUTSIDE] = [
        each if each.due < ns(INTENT) or each.due >= ns(served_from) else
        request(each.number, (each.due - ns(0)) / 1e9, "in_doubt", took=0.02)
        for each in history.requests[OUTSIDE]
    ]  # fmt: skip  # a list
    history.lines = [
        (at, kind, {**data, "ok": health_ok} if kind == "health" else data) for at, kind, data in history.lines
    ]
    return history


def test_customers_are_the_truth_where_every_write_fails_and_health_is_green() -> None:
    """Recovery time and availability are missed, whatever health says; and that it lies is a finding of its own."""
    history = blind(served_from=LAST + 1)
    assert found("rto", history, 60.0).outcome is MISSED
    assert found("availability", blind(served_from=LAST + 1), 20.0).outcome is MISSED
    health = next(each for each in judge(asking("health", history).evidence()) if each.id == "health")
    assert health.outcome is MET
    lies = found("honest-health", history)
    assert (lies.outcome, lies.figure) == (MISSED, 30.0)
    assert lies.reason.startswith("health said that all is well, and none of 30 requests due in the 3 s before it was")


def asking(name: str, history: History) -> History:
    history.drop("expect")
    history.expect(name)
    return history


def without_health() -> History:
    history = a_zone_cut()
    history.drop("health")
    return history


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (a_zone_cut, MET),
        (lambda: blind(served_from=HEALTHY - 1), MET),
        (lambda: blind(served_from=LAST + 1, health_ok=False), MET),
        (lambda: idle(a_zone_cut()), UNKNOWN),
        (without_health, UNKNOWN),
    ],
    ids=["sound", "just served again", "health says so itself", "nobody asked", "not verified"],
)
def test_health_is_held_against_customers_where_it_says_that_all_is_well(
    made: Callable[[], History], expected: Outcome
) -> None:
    """One request that is served is enough; where none was due, nobody can say."""
    assert found("honest-health", made()).outcome is expected


def idle(history: History) -> History:
    history.requests[OUTSIDE] = [each for each in history.requests[OUTSIDE] if each.due < ns(HEALTHY - 4)]
    return history


def test_packs_of_before_are_judged_by_neither() -> None:
    """Both are of the newest rules, and asked for by sentences alone."""
    for name in ("one-leader", "honest-health"):
        assert [version for version, rules in TABLE.items() if name in rules.checks] == ["7", "8"]
        assert name not in TABLE["7"].always
