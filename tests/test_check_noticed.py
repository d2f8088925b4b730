"""How long until damage was noticed: by the first who looked, with the others beside."""

from __future__ import annotations

import pytest

from harness.checks import Finding, Outcome
from harness.checks.answer import answer
from harness.checks.evidence import Expectation
from harness.checks.rules import CURRENT
from tests.histories import BIT, INTENT, History, lost_volumes


def judged(history: History, limit: float | None = 60.0) -> Finding:
    return answer(CURRENT.checks["noticed"], history.evidence(), Expectation("noticed", limit=limit))


def looked(*looks: tuple[float, str]) -> History:
    history = lost_volumes()
    history.drop("detected")
    for at, by in looks:
        history.say(at, "detected", by=by, seen="it is damaged", gap=0.5)
    return history


def test_the_first_who_noticed_ends_the_time_and_each_stands_beside() -> None:
    """The bar: the two ends of the fault's effect."""
    found = judged(looked((31.0, "amcheck"), (33.5, "customers")))
    assert found.outcome is Outcome.MET
    assert (found.low, found.high) == (pytest.approx(31.0 - BIT), pytest.approx(31.0 - INTENT))
    assert found.beside == (("amcheck", "1.000 s"), ("customers", "3.500 s"))
    history = looked((31.0, "amcheck"))
    history.say(34.0, "not_detected", by="count of failed checksums")
    assert judged(history).beside == (("amcheck", "1.000 s"), ("count of failed checksums", "saw nothing"))
    assert judged(looked((31.0, "amcheck")), limit=0.5).outcome is Outcome.MISSED
    assert judged(looked((31.0, "amcheck")), limit=0.99).outcome is Outcome.UNKNOWN


def test_what_was_said_before_the_fault_is_of_something_else() -> None:
    """Nobody had noticed this one as long as anybody looked: missed once the time is over, and else not known."""
    for history in (looked(), looked((20.0, "amcheck"))):
        found = judged(history, limit=5.0)
        assert (found.outcome, found.lower_bound) == (Outcome.MISSED, True)
        assert judged(history, limit=3600.0).outcome is Outcome.UNKNOWN


def test_a_fault_that_did_not_take_effect_bears_nothing() -> None:
    """As for any finding."""
    history = looked((31.0, "amcheck"))
    history.drop("fault.effective")
    assert judged(history).outcome is Outcome.UNKNOWN
