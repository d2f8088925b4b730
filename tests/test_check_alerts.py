"""What monitoring told operations, and when it was confirmed that all is good: each check has a history that turns it
red, and one that leaves it open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Finding, Outcome
from harness.checks.alerts import alert, detection
from harness.checks.confirmation import confirmation
from harness.checks.evidence import Evidence, Expectation
from harness.checks.judge import judge
from harness.faults import affected
from tests.histories import INTENT, History, ns
from tests.test_check_steps import changed
from tests.zone_cuts import BIT, LAST, a_zone_cut, an_alert

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
Check = Callable[[Evidence, Expectation], Finding]
LIMITS = {detection: 60.0, alert: None, confirmation: 50.0}


def asking(check: Check, history: History) -> History:
    """The sentences ask for this one thing."""
    name = {detection: "detection", alert: "alert", confirmation: "confirmation"}[check]
    history.drop("expect")
    history.expect(name, LIMITS[check])
    return history


def found(check: Check, history: History) -> Finding:
    """What the judge says, with all that the rules add to it."""
    name = {detection: "detection", alert: "alert", confirmation: "confirmation"}[check]
    return next(each for each in judge(asking(check, history).evidence()) if each.id == name)


def watching(history: History, *, until: float, named: bool = False) -> History:
    """The scenario waited for an alert until then."""
    history.drop("alert.awaited")
    history.say(until, "alert.awaited", within=60.0, seconds=until - BIT, named=named)
    return history


def without(*kinds: str, where: Callable[[dict[str, Any]], bool] = lambda data: True) -> History:
    history = a_zone_cut()
    history.drop(*kinds, where=where)
    return history


def silent(*, until: float | None) -> History:
    """No alert came; waited for until then, or not at all."""
    history = without("alert", "alert.awaited")
    return watching(history, until=until) if until else history


def wrong() -> History:
    """The alert names the next zone."""
    return watching(changed_alert(zone="b"), until=91.0)


def changed_alert(**changes: Any) -> History:
    history = a_zone_cut()
    history.lines = [
        (at, kind, {**data, **changes} if kind == "alert" and data["name"] == "ZoneDown" else data)
        for at, kind, data in history.lines
    ]
    return history


def stopped(history: History, at: float) -> History:
    history.cut(at)
    history.say(at, "stopped", who="an operator", why="a test")
    return history


def late(received: float) -> History:
    """The right alert comes later than that the scenario waited for it."""
    history = silent(until=91.0)
    an_alert(history, received, "ZoneDown", zone="a", read=97.0)
    return history


def unread(history: History) -> History:
    history.say(99, "failed", what="the alert receiver cannot be read", error="TimeoutError")
    return history


def killed(history: History) -> History:
    history.cut(98.0)
    return history


def twice(*, told_again: bool) -> History:
    """A second fault, at 80 s, that the scenario waited for as well."""
    history = a_zone_cut()
    history.say(80, "fault.intent", fault="kill_component", affects=[{"component": "api-b"}], harms_data=False)
    history.say(80.1, "fault.effective", fault="kill_component", ok=True, proof="gone")
    history.say(97, "fault.healed", fault="kill_component", ok=True, by="harness", seen="")
    if told_again:
        an_alert(history, 85.0, "ServerDown", component="api-b")
    history.say(142, "alert.awaited", within=60.0, seconds=62.0, named=told_again)
    history.drop("scenario.end")
    history.say(143, "scenario.end", outcome="completed", error="")
    return history


def hurting(*names: str) -> History:
    return changed(a_zone_cut(), "fault.intent", affects=[affected(name) for name in names])


CASES: list[tuple[str, Check, Callable[[], History], Outcome]] = [
    ("sound", detection, a_zone_cut, MET),
    ("too late", detection, lambda: late(95.0), MISSED),
    ("later than waited for, and in time", detection, lambda: late(89.9), MET),
    ("too near to the limit to tell", detection, lambda: late(INTENT + 60.1), UNKNOWN),
    ("never, and waited for", detection, lambda: silent(until=91.0), MISSED),
    ("never, and read again at the end", detection, lambda: silent(until=80.0), MISSED),
    ("never, and the receiver cannot be read at the end", detection, lambda: unread(silent(until=80.0)), UNKNOWN),
    ("never, and not waited for, and read at the end", detection, lambda: silent(until=None), MISSED),
    ("never, and killed before the receiver was read again", detection, lambda: killed(silent(until=80.0)), UNKNOWN),
    ("never, and killed after it was waited for", detection, lambda: killed(silent(until=91.0)), MISSED),
    ("never, and stopped early", detection, lambda: stopped(silent(until=None), 60.0), UNKNOWN),
    ("never, and stopped late", detection, lambda: stopped(silent(until=None), 91.0), MISSED),
    ("another zone named", detection, wrong, MISSED),
    ("it had been firing before", detection, lambda: watching(changed_alert(received=ns(20)), until=91.0), MISSED),
    ("only that it is over", detection, lambda: watching(changed_alert(state="resolved"), until=91.0), MISSED),
    ("a component that is hurt", detection, lambda: hurting("lb-1", "lb-2"), MET),
    ("nothing that could be named", detection, hurting, UNKNOWN),
    ("an old journal that does not say what is hurt", detection, lambda: without("fault.intent"), UNKNOWN),
    ("a second fault that was told, too", detection, lambda: twice(told_again=True), MET),
    ("a second fault that nobody told of", detection, lambda: twice(told_again=False), MISSED),
    ("did not bite", detection, lambda: changed(a_zone_cut(), "fault.effective", ok=False), UNKNOWN),
    ("ended by itself", detection, lambda: changed(a_zone_cut(), "fault.still_active", ok=False), UNKNOWN),
    ("sound", alert, a_zone_cut, MET),
    ("another zone named", alert, wrong, MISSED),
    ("names nothing", alert, lambda: watching(changed_alert(zone=""), until=91.0), MISSED),
    ("none, and waited for", alert, lambda: silent(until=91.0), MISSED),
    ("none, and not waited for", alert, lambda: silent(until=None), UNKNOWN),
    ("wrong ones, and stopped before it waited", alert,
     lambda: stopped(without("alert", "alert.awaited", where=lambda data: data.get("name") != "Slow"), 50), UNKNOWN),
    ("wrong ones, and not waited for", alert,
     lambda: without("alert", "alert.awaited", where=lambda data: data.get("name") != "Slow"), MISSED),
    ("a second fault that nobody told of", alert, lambda: twice(told_again=False), MISSED),
    ("nothing that could be named", alert, hurting, UNKNOWN),
    ("ended by itself", alert, lambda: changed(a_zone_cut(), "fault.still_active", ok=False), UNKNOWN),
    ("sound", confirmation, a_zone_cut, MET),
    ("never", confirmation, lambda: without("health"), MISSED),
    ("found bad", confirmation, lambda: changed(a_zone_cut(), "health", ok=False), MISSED),
    ("nothing checked", confirmation, lambda: changed(a_zone_cut(), "health", checks=[]), MISSED),
    ("stopped before", confirmation, lambda: stopped(a_zone_cut(), 45.0), UNKNOWN),
    ("a fault after it", confirmation, lambda: twice(told_again=True), MISSED),
    ("ended by itself", confirmation, lambda: changed(a_zone_cut(), "fault.still_active", ok=False), UNKNOWN),
]  # fmt: skip  # a table


@pytest.mark.parametrize(
    ("check", "made", "expected"),
    [case[1:] for case in CASES],
    ids=[f"{check.__name__}: {name}" for name, check, *_ in CASES],
)
def test_a_check_says_what_the_history_shows(check: Check, made: Callable[[], History], expected: Outcome) -> None:
    """MET where all is as it must be, MISSED where it is not, UNKNOWN where nobody can say."""
    finding = found(check, made())
    assert finding.outcome is expected, finding.reason


def test_detection_is_measured_from_the_fault_to_the_receiver() -> None:
    """Not to the moment at which the harness read it: intent to receipt at most, proof to receipt at least."""
    finding = found(detection, a_zone_cut())
    assert (finding.low, finding.figure) == (pytest.approx(41.0 - BIT), pytest.approx(41.0 - INTENT))
    assert finding.high == finding.figure and "ZoneDown (zone a)" in finding.reason


def test_what_never_came_has_a_lower_bound() -> None:
    """From the proof to when the receiver was read for the last time: at the end, or, of a killed run, before."""
    finding = found(detection, silent(until=91.0))
    assert finding.lower_bound and finding.figure == pytest.approx(LAST + 1 - BIT)
    assert found(detection, killed(silent(until=91.0))).figure == pytest.approx(91.0 - BIT)


def test_symptoms_are_listed_and_take_nothing_back() -> None:
    """Alerts about something else that came, too, stand in the reason."""
    assert "others that came: Slow (lb-1)" in found(alert, a_zone_cut()).reason
    assert "what came: Slow (lb-1), ZoneDown (zone b)" in found(alert, wrong()).reason


def test_a_fault_that_ended_by_itself_leaves_every_finding_unknown() -> None:
    """What was measured before may be of a platform that had nothing left to recover from."""
    history = changed(a_zone_cut(), "fault.still_active", ok=False)
    findings = judge(history.evidence())
    assert {each.outcome for each in findings} == {UNKNOWN}
    assert all("the fault cut_zone had ended before it was healed" in each.reason for each in findings)


@settings(deadline=None, max_examples=60)
@given(
    received=st.lists(st.tuples(st.floats(25, 95), st.sampled_from(["a", "b", ""])), max_size=5),
    limit=st.floats(1, 60),
)
def test_the_first_right_alert_counts_whatever_else_comes(received: list[tuple[float, str]], limit: float) -> None:
    """In any order and company; the outcome follows from when the first right one after the fault came."""
    history = without("alert")
    for at, zone in received:
        an_alert(history, at, "ZoneDown", zone=zone, read=97.0)
    finding = detection(history.evidence(), Expectation("detection", limit=limit))
    right = sorted(ns(at) for at, zone in received if zone == "a" and ns(at) >= ns(INTENT))
    if not right:
        assert finding.lower_bound
        return
    high, low = (right[0] - ns(INTENT)) / 1e9, max(0, right[0] - ns(BIT)) / 1e9
    assert (finding.low, finding.high) == (pytest.approx(low), pytest.approx(high))
    assert finding.outcome is (MET if high <= limit else MISSED if low > limit else UNKNOWN)
