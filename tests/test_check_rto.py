"""The recovery time: what it says on histories whose truth is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome
from harness.checks.availability import availability
from harness.checks.evidence import Evidence, Expectation, Unsound
from harness.checks.rto import rto, span_lengths
from tests.histories import (
    BIT,
    INTENT,
    LAST,
    SERVING,
    VERIFIED,
    ZONES,
    History,
    a_mistake,
    groups,
    lost_volumes,
    ns,
    request,
)

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def measured(history: History, limit: float | None = 60.0) -> Finding:
    return rto(history.evidence(), Expectation("rto", "rto", limit, ("OBJ-5",)))


def outage(*, begin: float, end: float, proof: float = 0.02, every: float = 0.05, harmless: bool = True) -> History:
    """A service that is really gone from `begin` to `end`, for customers who are refused at once, and nothing else."""
    history = History()
    history.say(0, "scenario.begin", scenario="s", settling=2.0)
    history.say(0.5, "workload.begin", rate=len(ZONES) / every, groups=groups(ZONES))
    history.say(begin - 0.002, "fault.intent", fault="kill", harms_data=not harmless)
    history.say(begin + proof, "fault.effective", fault="kill", ok=True, proof="gone")
    for place, zone in enumerate(ZONES):
        dues = [1 + place * every / len(ZONES) + number * every for number in range(round((end + 4) / every))]
        history.requests[zone] = [
            request(number, due, "failed" if begin <= due < end else "acknowledged", took=0.003)
            for number, due in enumerate(dues, 1)
        ]
    history.say(end + 5, "scenario.end", outcome="completed")
    return history


@settings(deadline=None)
@given(length=st.floats(0.2, 6), begin=st.floats(2, 3), proof=st.floats(0.001, 0.1))
def test_the_bar_holds_the_truth_and_the_figure_is_within_50_ms(length: float, begin: float, proof: float) -> None:
    """However long the service was gone, the bar contains that length, and the figure is its upper end."""
    found = measured(outage(begin=begin, end=begin + length, proof=proof))
    assert found.outcome is MET
    assert found.figure is not None and found.low is not None and found.figure == found.high
    assert found.low - 1e-6 <= length <= found.figure
    assert found.figure - length < 0.05


def test_a_sound_recovery_is_met_with_its_parts() -> None:
    """After a fault that harms data the clock runs until the recovered database is verified and in service."""
    found = measured(a_mistake())
    assert found.outcome is MET
    assert found.figure == pytest.approx(SERVING - INTENT + 0.01)
    assert found.low == pytest.approx(SERVING - BIT)
    assert [name for name, _ in found.parts] == ["detect", "decide", "recover", "verify"]
    assert dict(found.parts)["detect"] == pytest.approx(1.0)


def test_too_slow_is_missed() -> None:
    """A recovery whose whole bar lies beyond the objective is MISSED."""
    assert measured(a_mistake(), limit=14.0).outcome is MISSED


def test_a_bar_that_crosses_the_objective_is_unknown() -> None:
    """Between the ends of the bar nobody can say whether the objective was met."""
    found = measured(a_mistake(), limit=15.0)
    assert found.outcome is UNKNOWN
    assert "crosses" in found.reason


def test_answers_from_damaged_data_are_no_service() -> None:
    """Customers who are answered all along do not stop the clock after a fault that harms data."""
    history = a_mistake()
    for zone in ZONES:
        history.requests[zone] = [
            request(each.number, 2 + (each.due - ns(2)) / 1e9, "acknowledged") for each in history.requests[zone]
        ]
    found = measured(history)
    assert found.figure == pytest.approx(SERVING - INTENT)
    assert "verified and in service" in found.reason


def test_service_that_was_never_bad_after_a_harmless_fault() -> None:
    """Where nothing was bad, the bar goes from 0 to the longest time between two requests, whatever the proof took."""
    for proof in (0.02, 1.5):
        found = measured(outage(begin=3, end=3, proof=proof))
        assert found.outcome is MET
        assert (found.low, found.high) == (0.0, pytest.approx(0.05))
        assert found.reason.startswith("no request was bad")


@pytest.mark.parametrize(("kind", "word"), [("verified", "not verified"), ("in_service", "not put in service")])
def test_without_verification_or_service_the_clock_runs_on(kind: str, word: str) -> None:
    """Then the figure is a lower bound: UNKNOWN below the objective, MISSED beyond it."""
    history = a_mistake()
    history.drop(kind)
    found = measured(history)
    assert (found.outcome, found.lower_bound, found.high) == (UNKNOWN, True, None)
    assert word in found.reason
    assert found.figure == pytest.approx(LAST + 1 - BIT)
    assert measured(history, limit=20).outcome is MISSED


def test_a_verification_that_fails_last_does_not_count() -> None:
    """Data that was found sound and then unsound is not verified."""
    history = a_mistake()
    history.say(VERIFIED + 1, "verified", ok=False, checks=[])
    assert measured(history).lower_bound


def test_one_bad_request_late_moves_the_end() -> None:
    """The stretch must be unbroken to the end: a later failure begins it anew."""
    history = lost_volumes()
    at = next(i for i, each in enumerate(history.requests["b"]) if each.due >= ns(50))
    late = history.requests["b"][at]
    history.requests["b"][at] = late._replace(outcome="in_doubt")
    found = measured(history)
    assert found.low == pytest.approx((late.due - ns(BIT)) / 1e9)
    assert found.figure == pytest.approx(20.1, abs=0.1)


@pytest.mark.parametrize("limit", [60.0, 10.0])
def test_good_service_that_did_not_last_is_a_lower_bound(limit: float) -> None:
    """Service has to last for the settling time past the end of `verify`."""
    history = lost_volumes()
    for zone in ZONES:
        history.requests[zone] = [each for each in history.requests[zone] if each.due < ns(51)]
    found = measured(history, limit)
    assert found.lower_bound
    assert "did not last" in found.reason
    assert found.outcome is (UNKNOWN if limit == 60 else MISSED)


def test_customers_who_pause_widen_the_bar() -> None:
    """A stretch in which nothing was due shows nothing: the end may lie anywhere in it."""
    history = outage(begin=3, end=5)
    for zone in ZONES:
        kept = [each for each in history.requests[zone] if not ns(4) < each.due < ns(6.5)]
        history.requests[zone] = [each._replace(number=number) for number, each in enumerate(kept, 1)]
    found = measured(history)
    assert found.low is not None and found.low < 2 < found.high
    assert found.figure == pytest.approx(3.5, abs=0.1)
    assert "nothing was due" in found.reason


def test_customers_of_one_zone_who_never_return_leave_it_open() -> None:
    """A zone whose customers ended shows no good service, whatever the other zones show."""
    history = a_mistake()
    history.only_first("c", 300)
    found = measured(history)
    assert found.outcome is UNKNOWN
    assert "customers c" in found.reason


def _idle(history: History) -> None:
    history.requests = {zone: [] for zone in ZONES}


def _no_ledger(history: History) -> None:
    history.requests = {}


def _one_ledger_missing(history: History) -> None:
    del history.requests["b"]


def _never_served(history: History) -> None:
    history.requests = {
        zone: [each._replace(outcome="failed") for each in requests] for zone, requests in history.requests.items()
    }


def _idle_after_the_fault(history: History) -> None:
    for zone in ZONES:
        history.only_first(zone, 100)


@pytest.mark.parametrize("breaking", [_idle, _no_ledger, _one_ledger_missing, _never_served, _idle_after_the_fault])
def test_without_customers_it_is_unknown_and_has_no_figure(breaking: object) -> None:
    """An empty history can never pass, and shows no figure."""
    history = a_mistake()
    assert callable(breaking)
    breaking(history)
    found = measured(history, limit=0.001)
    assert (found.outcome, found.figure) == (UNKNOWN, None)


@pytest.mark.parametrize(("at", "limit", "outcome"), [(40, 60, UNKNOWN), (40, 5, MISSED), (59.9, 60, MET)])
def test_stopping_a_run_does_not_launder_it(at: float, limit: float, outcome: Outcome) -> None:
    """A clock that is past its objective at the stop is MISSED, one that is not is UNKNOWN, an ended one stands."""
    history = lost_volumes()
    history.cut(at)
    history.say(at, "stopped", who="the commander", why="enough seen")
    found = measured(history, limit)
    assert found.outcome is outcome
    if outcome is not MET:
        assert "stopped by the commander: enough seen" in found.reason


def test_a_killed_run_is_not_judged_by_when_it_was_healed() -> None:
    """The heal may come hours later: the clock of a killed run stands where the drill itself was last alive."""
    history = lost_volumes()
    history.cut(41)
    history.say(9000, "fault.healed", fault="lose", ok=True, by="drdrill heal", seen="")
    history.say(9001, "run.end", outcome="killed", by="drdrill heal")
    found = measured(history, limit=3600)
    assert found.outcome is UNKNOWN
    assert found.figure is not None and found.figure < 15


@pytest.mark.parametrize("kinds", [("fault.effective",), ("fault.effective", "fault.intent")])
def test_without_a_fault_that_bit_there_is_no_clock(kinds: tuple[str, ...]) -> None:
    """No proof, no figure: `Unsound` says why."""
    history = a_mistake()
    history.drop(*kinds)
    with pytest.raises(Unsound, match=r"proof|no fault"):
        measured(history)


def test_damage_that_lies_still_does_not_start_the_clock() -> None:
    """Of two faults the clock starts at the one that harms the data served."""
    history = lost_volumes()
    history.say(12, "fault.intent", fault="flip", harms_data=False)
    history.say(12.1, "fault.effective", fault="flip", ok=True, proof="differs")
    assert measured(history).figure == pytest.approx(15.01)


def test_repeated_spans_are_added_up() -> None:
    """A span that begins twice counts twice; one without an end does not count."""
    history = History()
    for at, kind in ((1, "begin"), (2, "end"), (4, "begin"), (6, "end"), (7, "begin")):
        history.say(at, f"span.{kind}", span="recover")
    assert span_lengths(history.evidence()) == (("recover", 3.0),)


def test_what_nobody_was_told_was_not_detected() -> None:
    """The time that was waited in vain is no part of a recovery."""
    history = History()
    history.say(1, "span.begin", span="detect")
    history.say(61, "alert.awaited", within=60.0, seconds=60.0, named=False)
    history.say(61, "span.end", span="detect")
    assert span_lengths(history.evidence()) == ()


def seen_by_customers(evidence: Evidence, limit: float | None) -> Finding:
    return availability(evidence, Expectation("availability", limit=limit))


def test_availability_counts_seconds_with_a_bad_request() -> None:
    """Three seconds without service are three bad seconds, or four where they do not begin on a full second."""
    found = seen_by_customers(outage(begin=3, end=6).evidence(), 3153.6)
    assert (found.outcome, found.figure) == (MET, 3.0)
    assert "0.1%" in found.reason
    assert seen_by_customers(outage(begin=3.5, end=6.5).evidence(), 3153.6).figure == 4.0
    assert seen_by_customers(outage(begin=3, end=6).evidence(), 2.0).outcome is MISSED


def test_an_outage_that_goes_on_is_at_least_so_long() -> None:
    """Nobody saw its end: it may have spent the whole budget, and only what is spent already can be judged."""
    history = outage(begin=3, end=8)
    for zone, requests in history.requests.items():
        history.requests[zone] = [each for each in requests if each.outcome == "failed" or each.due < ns(3)]
    found = seen_by_customers(history.evidence(), 3153.6)
    assert (found.outcome, found.lower_bound, found.high) == (UNKNOWN, True, None)
    assert found.reason.startswith("at least 5 bad ")
    assert seen_by_customers(history.evidence(), 2.0).outcome is MISSED
    assert seen_by_customers(history.evidence(), None).outcome is UNKNOWN


def test_availability_without_customers_is_unknown() -> None:
    """Nobody asked, nobody knows."""
    history = outage(begin=3, end=6)
    _idle(history)
    assert seen_by_customers(history.evidence(), None).outcome is UNKNOWN
