"""What a stamp of another clock is worth: its offset is taken off, its uncertainty enters, contradictions are told."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks import Outcome
from harness.checks.clocks import Clock, clock_of
from harness.checks.evidence import SECOND, Unsound
from harness.checks.judge import judge
from harness.checks.rules import TABLE
from tests.histories import INTENT, History, a_mistake, ns, utc
from tests.zone_cuts import a_zone_cut, an_alert

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def finding(history: History, name: str, version: str = "4") -> Any:
    return next(each for each in judge(history.evidence(), TABLE[version]) if each.id == name)


def told(starts: float, *, offset: float = 0.0, uncertainty: float = 0.0, received: float = 3.0) -> History:
    """A zone cut of which one alert tells, that began and came so many seconds after the fault."""
    history = a_zone_cut()
    history.drop("alert", "expect")
    history.expect("detection", 60.0)
    history.expect("alert")
    history.say(1.2, "clock", clock="monitoring", offset=offset, uncertainty=uncertainty, how="asked")
    an_alert(history, INTENT + received, "ZoneDown", zone="a", starts=utc(INTENT + starts), clock="monitoring")
    return history


@pytest.mark.parametrize(
    ("history", "outcome"),
    [
        (told(2.0), MET),
        (told(-0.9), MET),  # stamped with when its look began
        (told(-1.5), UNKNOWN),  # no 5 s are allowed where the clocks are known
        (told(-1.5, uncertainty=1.0), UNKNOWN),  # it may have begun before, or not
        (told(1.5, uncertainty=1.0), MET),
        (told(-40.0, offset=-42.0), MET),  # by a clock that is behind, it began after the fault
        (told(2.0, offset=30.0), UNKNOWN),  # by one that is ahead, it began before
        (told(2.0, offset=30.0, uncertainty=30.0), UNKNOWN),  # a clock that nobody knows makes no pass
    ],
)
def test_when_an_alert_began_is_by_its_own_clock(history: History, outcome: Outcome) -> None:
    """One that may have begun before the fault may tell of something else."""
    for name in ("detection", "alert"):
        assert finding(history, name).outcome is outcome


@pytest.mark.parametrize(("uncertainty", "outcome"), [(0.0, UNKNOWN), (0.5, UNKNOWN), (2.5, MET)])
def test_an_alert_that_came_before_it_began_is_a_contradiction(uncertainty: float, outcome: Outcome) -> None:
    """Unless the clocks may be so far apart; the versions before do not ask."""
    history = told(5.0, uncertainty=uncertainty)
    for name in ("detection", "alert"):
        found = finding(history, name)
        assert found.outcome is outcome, found.reason
        assert outcome is MET or "came 2.000 s before it began" in found.reason
        assert finding(history, name, "3").outcome is MET


def test_where_nobody_says_how_far_a_clock_is_it_may_be_five_seconds() -> None:
    """As before: an alert without a clock, or of one that has no line."""
    for history in (told(-4.0), told(-4.0)):
        history.drop("clock")
        assert finding(history, "detection").outcome is MET
    assert finding(told(-4.0), "detection").outcome is UNKNOWN


def mistaken(**data: Any) -> History:
    """A mistake whose commit was stamped by the database 5 ms after the fault was ordered."""
    history = a_mistake()
    history.say(1.2, "clock", clock="database", how="asked", **data)
    for at, (when, kind, said) in enumerate(history.lines):
        if kind == "recovery.ordered":
            history.lines[at] = (when, kind, said | {"clock": "database"})
    return history


@pytest.mark.parametrize(
    ("offset", "uncertainty", "outcome"),
    [(0.0, 0.0, MET), (0.0, 0.4, MET), (-2.0, 0.0, UNKNOWN), (-2.0, 2.5, MET), (3.0, 0.0, MET)],
)
def test_the_ordered_moment_is_by_the_databases_clock(offset: float, uncertainty: float, outcome: Outcome) -> None:
    """A database that is behind stamps too early: corrected, the point would lie after the fault that it precedes."""
    found = finding(mistaken(offset=offset, uncertainty=uncertainty), "exactness")
    assert found.outcome is outcome, found.reason
    assert outcome is MET or "must precede" in found.reason
    assert finding(mistaken(offset=offset, uncertainty=uncertainty), "exactness", "3").outcome is MET


@pytest.mark.parametrize("wrong", [None, "much", True, float("nan"), float("inf"), 1e30, -0.1])
def test_a_clock_that_says_no_length_is_worth_nothing(wrong: Any) -> None:
    """Then what is derived from its stamps is UNKNOWN, and no error of the harness."""
    found = finding(mistaken(offset=0.0, uncertainty=wrong), "exactness")
    assert found.outcome is UNKNOWN and "does not say how far the clock of the database" in found.reason


def test_the_last_line_before_the_stamp_counts() -> None:
    """A clock that is asked again has moved."""
    history = told(2.0, offset=1.0, uncertainty=0.1)
    history.say(20.0, "clock", clock="monitoring", offset=-0.5, uncertainty=0.25, how="asked again")
    history.say(99.0, "clock", clock="monitoring", offset=7.0, uncertainty=0.0, how="asked too late")
    evidence = history.evidence()
    (alert,) = evidence.all("alert")
    assert clock_of(evidence, alert) == Clock(-SECOND // 2, SECOND // 4)
    assert clock_of(evidence, alert._replace(data={})) is None
    wrong = mistaken(offset="x", uncertainty=0).evidence()
    with pytest.raises(Unsound):
        clock_of(wrong, wrong.all("recovery.ordered")[0])
    assert ns(INTENT + 3) == alert.data["received"]
