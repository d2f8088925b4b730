"""The bar of a recovery time contains the truth, whatever the truth is and whenever requests were due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import RULES, Finding, Outcome
from harness.checks.evidence import SECOND, Evidence, Expectation, Line
from harness.checks.healing import self_recovery
from harness.checks.judge import judge
from harness.checks.rto import rto
from harness.checks.rules import TABLE
from harness.checks.service import unanswered
from harness.workload.ledger import Request
from tests.histories import EVERY, LATENCY, History
from tests.zone_cuts import a_zone_cut

MS = 1_000_000
PATIENCE = 5 * SECOND
FAULT = 20 * SECOND
Way = Literal["refuses", "holds"]


def outage(dues: list[int], took: list[int], *, gone: int, back: int, way: Way) -> list[Request]:
    """What customers see of a service that is gone from `gone` to `back`: it refuses, or lets them wait. `took`: how
    long each request needs from its due time until it is sent, and from then, or from when the service is back, until
    its answer is there."""
    found = []
    for number, (due, length) in enumerate(zip(dues, took, strict=True), 1):
        sent = due + length // 2
        served = max(sent, back) if gone <= sent < back else sent
        bad = gone <= sent < back and (way == "refuses" or back - sent > PATIENCE)
        ended = sent + (PATIENCE if way == "holds" else 0) if bad else served
        outcome = ("failed" if way == "refuses" else "in_doubt") if bad else "acknowledged"
        found.append(Request(number, due, sent, ended + length - length // 2, outcome, "{}", None, "", None))
    return found


def asked(history: History, name: str, version: str = RULES) -> Finding:
    return next(each for each in judge(history.evidence(), TABLE[version]) if each.id == name)


def evidence(requests: dict[str, list[Request]], *, earliest: int, latest: int, healed: bool = False) -> Evidence:
    when = {"fault": "gone", "ok": True, "earliest": earliest, "latest": latest}
    facts: list[tuple[str, int, dict[str, Any]]] = [
        ("scenario.begin", 0, {"settling": 1.0}),
        ("workload.begin", 0, {"rate": 50.0, "groups": [{"group": each, "inside": False} for each in requests]}),
        ("fault.intent", FAULT - SECOND, {"fault": "gone", "injection": 1, "harms_data": False}),
        ("fault.effective", latest, {**when, "injection": 1}),
        ("fault.healed", latest, {**when, "by": "scenario"}),
        ("scenario.end", 999 * SECOND, {"outcome": "completed"}),
    ]  # fmt: skip  # a table
    told = [fact for fact in facts if healed or fact[0] != "fault.healed"]
    lines = tuple(Line(seq, kind, mono, "", data) for seq, (kind, mono, data) in enumerate(told))
    return Evidence(
        "s", lines, tuple(requests), frozenset(), lambda group: iter(requests[group]), lambda moment, group: ()
    )


@dataclass(frozen=True)
class World:
    """Milliseconds: between two due times, that a request takes, from the fault to the outage, and of the outage; and
    how much sooner and later than that the fault may have taken effect, by what the journal says."""

    gaps: list[int]
    took: list[int]
    begins: int
    length: int
    before: int
    after: int
    way: Way
    groups: int


worlds = st.builds(
    World,
    gaps=st.lists(st.integers(1, 60), min_size=900, max_size=900),
    took=st.lists(st.integers(0, 40) | st.integers(0, 400), min_size=20, max_size=20),
    begins=st.integers(0, 100),
    length=st.sampled_from([0, 1, 20, 49, 50, 400, 3000, 8000]) | st.integers(0, 9000),
    before=st.integers(0, 60),
    after=st.integers(0, 60),
    way=st.sampled_from(["refuses", "holds"]),
    groups=st.integers(1, 3),
)


@settings(deadline=None, max_examples=80)
@given(worlds)
def test_the_bar_contains_the_truth(world: World) -> None:
    """Of an outage that refuses or holds, of any length, with requests due at any time that need any time."""
    gone = FAULT + world.begins * MS
    back = gone + world.length * MS
    due, dues = FAULT - 5 * SECOND, []
    for gap in world.gaps:
        due += gap * MS
        dues.append(due)
    if dues[-1] < back + 3 * SECOND:
        return  # it was not looked at for long enough
    took = [world.took[at % len(world.took)] * MS for at in range(len(dues))]
    seen = outage(dues, took, gone=gone, back=back, way=world.way)
    requests = {str(group): seen[group :: world.groups] for group in range(world.groups)}
    sure = {"earliest": gone - world.before * MS, "latest": gone + world.after * MS}
    contains(rto(evidence(requests, **sure), Expectation("rto", limit=60.0)), world.length / 1000)


def contains(found: Finding, truth: float) -> None:
    assert found.figure is not None and found.low is not None
    assert found.low <= truth + 1e-9, found.reason
    if not found.lower_bound:
        assert found.high is not None and truth <= found.high + 1e-9, found.reason


def test_service_that_lets_all_wait_and_then_answers_was_gone_as_long() -> None:
    """No request is bad, and the time between two of them says nothing of how long customers waited."""
    dues = [FAULT - 5 * SECOND + number * 20 * MS for number in range(900)]
    seen = outage(dues, [4 * MS] * 900, gone=FAULT + MS, back=FAULT + 3001 * MS, way="holds")
    assert {each.outcome for each in seen} == {"acknowledged"}
    found = rto(evidence({"outside": seen}, earliest=FAULT, latest=FAULT + 2 * MS), Expectation("rto", limit=60.0))
    assert found.outcome is Outcome.MET and found.figure is not None and 3.0 <= found.figure < 3.02
    healed = evidence({"outside": seen}, earliest=FAULT, latest=FAULT + 2 * MS, healed=True)
    again = self_recovery(healed, Expectation("self-recovery", limit=60.0))
    assert again.figure is not None and 3.0 <= again.figure < 3.02


def test_what_was_answered_in_another_order_bounds_it_too() -> None:
    """A later request that is answered first shows that the service was there."""
    assert unanswered([], [], since=0) == 0
    assert unanswered([10], [15], since=0) == 15
    assert unanswered([10, 30, 50], [90, 35, 55], since=5) == 30  # from 5 to the answer at 35
    assert unanswered([10, 30, 50], [90, 95, 55], since=5) == 50
    assert unanswered([10, 30, 50], [12, 95, 155], since=5) == 125  # whoever asked last waited; nobody asked after


def test_service_that_was_never_bad_has_no_outage_whoever_is_asked() -> None:
    """Recovery time, service without a person and self-recovery say so; version 2 counts to the first answer."""
    history = a_zone_cut()
    history.requests = {
        group: [each._replace(outcome="acknowledged", ended=each.due + 10_000_000, why="") for each in requests]
        for group, requests in history.requests.items()
    }
    history.drop("expect")
    for name in ("rto", "automatic", "self-recovery"):
        history.expect(name, 60.0)
        found = asked(history, name)
        assert found.reason.startswith("no request was bad"), found.reason
        assert (found.outcome, found.low, found.high) == (Outcome.MET, 0.0, pytest.approx(EVERY + LATENCY))
        assert asked(history, name, "3").high == pytest.approx(EVERY)  # how long the answer took did not count
        assert not asked(history, name, "2").reason.startswith("no request was bad")


def test_a_first_answer_that_took_long_is_told_with_the_bar() -> None:
    """A platform that has just started answers slowly: when it was there again lies in that time."""
    dues = [FAULT - 5 * SECOND + number * 20 * MS for number in range(900)]
    for took, told in ((4, False), (400, True)):
        seen = outage(
            dues, [took * MS if due > FAULT else 4 * MS for due in dues], gone=FAULT, back=FAULT + SECOND, way="refuses"
        )
        found = rto(evidence({"outside": seen}, earliest=FAULT, latest=FAULT), Expectation("rto", limit=60.0))
        assert ("after the last bad request was due, which widens the bar" in found.reason) is told
