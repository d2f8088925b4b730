"""What a scenario did, and the books before and after: each check has a history that turns it red."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.checks import Finding, Outcome, steps
from harness.checks.damage import damage_found
from harness.checks.evidence import Evidence, Expectation
from harness.checks.rules import TABLE
from harness.checks.version4 import steps as steps_4
from tests.histories import BIT, INTENT, LAST, SERVING, History, a_mistake

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
Check = Callable[[Evidence, Expectation], Finding]


def outcome(check: Check, history: History, limit: float | None = None) -> Outcome:
    return check(history.evidence(), Expectation("it", limit=limit)).outcome


def changed(history: History, kind: str, **changes: Any) -> History:
    """Every line of a kind says something else."""
    history.lines = [(at, name, {**data, **changes} if name == kind else data) for at, name, data in history.lines]
    return history


def without(*kinds: str, **where: Any) -> History:
    """A sound history without the lines of some kinds."""
    history = a_mistake()
    history.drop(*kinds, where=lambda data: all(data.get(key) == value for key, value in where.items()))
    return history


def stopped(history: History, at: float = 35.0) -> History:
    history.cut(at)
    history.say(at, "stopped", who="an operator", why="a test")
    return history


def failing_step(history: History) -> History:
    history.lines = [
        (at, kind, {**data, "ok": False, "facts": {"error": "no sound base backup"}} if kind == "step.end" else data)
        for at, kind, data in history.lines
    ]
    return history


def damaged(
    *, key: str = "base/20261123/data.tar", named: str = "", restored: bool = True, called: str = ""
) -> History:
    """An object of the store was damaged, and a check of the procedure named something before the restore."""
    history = a_mistake()
    undo = {"versions": {key: "v1"}, "names": {key: called} if called else {}}
    history.say(12, "fault.intent", fault="flip", harms_data=False, undo=undo)
    history.say(12.1, "fault.effective", fault="flip", ok=True, proof="differs")
    history.say(33, "step.end", phase="restore", name="choose-a-backup", ok=True, facts={"refused": {"1": [named]}})
    if restored:
        history.say(34, "step.begin", phase="restore", name="restore-the-backup", does="…")
    return history


BAD_HEALTH = [
    {"name": "/health", "ok": True, "seconds": 0.1, "limit": 30.0, "seen": "200"},
    {"name": "/ready", "ok": True, "seconds": 31.0, "limit": 30.0, "seen": "200"},
    {"name": "database", "ok": False, "seconds": 1.0, "limit": 30.0, "seen": "refused"},
]
WRONG_ORDER = [{"phase": "serve", "name": "put-in-service"}, {"phase": "restore", "name": "restore-the-backup"}]
FAILED = [{"name": "archives", "ok": False, "seen": "nothing"}]

CASES: list[tuple[str, Check, Callable[[], History], Outcome]] = [
    ("sound", steps.steady_before, a_mistake, MET),
    ("not steady", steps.steady_before, lambda: changed(a_mistake(), "steady", ok=False, conditions=FAILED), UNKNOWN),
    ("no condition", steps.steady_before, lambda: changed(a_mistake(), "steady", conditions=[]), UNKNOWN),
    ("not looked at", steps.steady_before, lambda: without("steady", moment="before"), UNKNOWN),
    ("sound", steps.steady_after, a_mistake, MET),
    ("not steady", steps.steady_after, lambda: changed(a_mistake(), "steady", ok=False, conditions=FAILED), MISSED),
    ("no condition", steps.steady_after, lambda: changed(a_mistake(), "steady", conditions=[]), MISSED),
    ("not looked at", steps.steady_after, lambda: without("steady", moment="after"), UNKNOWN),
    ("sound", steps.effective, a_mistake, MET),
    ("did not bite", steps.effective, lambda: changed(a_mistake(), "fault.effective", ok=False), UNKNOWN),
    ("no proof", steps.effective, lambda: without("fault.effective"), UNKNOWN),
    ("no fault", steps.effective, lambda: without("fault.effective", "fault.intent"), UNKNOWN),
    ("sound", steps.heal, a_mistake, MET),
    ("not healed", steps.heal, lambda: changed(a_mistake(), "fault.healed", ok=False), MISSED),
    ("no word", steps.heal, lambda: without("fault.healed"), UNKNOWN),
    ("no fault", steps.heal, lambda: without("fault.intent"), UNKNOWN),
    ("sound", steps.scenario, a_mistake, MET),
    ("failed", steps.scenario, lambda: changed(a_mistake(), "scenario.end", outcome="failed", error="x"), UNKNOWN),
    ("stopped", steps.scenario, lambda: stopped(a_mistake()), UNKNOWN),
    ("no end", steps.scenario, lambda: without("scenario.end"), UNKNOWN),
    ("sound", steps.procedure, a_mistake, MET),
    ("a step failed", steps.procedure, lambda: failing_step(a_mistake()), MISSED),
    ("a step left out", steps.procedure, lambda: without("step.end", name="put-in-service"), MISSED),
    ("stopped before", steps.procedure, lambda: stopped(a_mistake()), UNKNOWN),
    ("never announced", steps.procedure, lambda: without("procedure"), UNKNOWN),
    ("no step", steps.procedure, lambda: changed(a_mistake(), "procedure", steps=[]), UNKNOWN),
    ("wrong order", steps.procedure, lambda: changed(a_mistake(), "procedure", steps=WRONG_ORDER), MISSED),
    ("sound", steps.verified, a_mistake, MET),
    ("found wrong", steps.verified, lambda: changed(a_mistake(), "verified", ok=False, checks=FAILED), MISSED),
    ("nothing checked", steps.verified, lambda: changed(a_mistake(), "verified", checks=[]), MISSED),
    ("skipped", steps.verified, lambda: without("verified"), MISSED),
    ("stopped before", steps.verified, lambda: stopped(a_mistake()), UNKNOWN),
    ("sound", steps.in_service, a_mistake, MET),
    ("never", steps.in_service, lambda: without("in_service"), MISSED),
    ("stopped before", steps.in_service, lambda: stopped(a_mistake()), UNKNOWN),
    ("sound", steps.health, a_mistake, MET),
    ("too slow, refused", steps.health, lambda: changed(a_mistake(), "health", checks=BAD_HEALTH), MISSED),
    ("said bad", steps.health, lambda: changed(a_mistake(), "health", ok=False), MISSED),
    ("no check", steps.health, lambda: changed(a_mistake(), "health", checks=[]), UNKNOWN),
    ("not made", steps.health, lambda: without("health"), UNKNOWN),
    ("sound", steps.redundancy, a_mistake, MET),
    ("not whole", steps.redundancy, lambda: changed(a_mistake(), "steady", ok=False), UNKNOWN),
    ("nothing damaged", damage_found, a_mistake, UNKNOWN),
    ("named", damage_found, lambda: damaged(named="base/20261123/data.tar: digest differs"), MET),
    ("not named", damage_found, damaged, MISSED),
    ("another named", damage_found, lambda: damaged(named="base/20261122/data.tar: missing"), MISSED),
    ("name told", damage_found, lambda: damaged(key="log/7-ab", named="log 7: x", called="log 7"), MET),
    ("name not told", damage_found, lambda: damaged(key="log/7-ab", named="log 7: x"), MISSED),
    ("nothing restored", damage_found, lambda: damaged(restored=False), UNKNOWN),
    ("unattended", steps.decision, a_mistake, UNKNOWN),
    ("attended", steps.decision, lambda: changed(a_mistake(), "decided", attended=True), MET),
    ("nothing asked", steps.decision, lambda: without("decided"), UNKNOWN),
    ("not timed", steps.decision, lambda: changed(without("span.begin"), "decided", attended=True), UNKNOWN),
]


@pytest.mark.parametrize(
    ("check", "made", "expected"), [case[1:] for case in CASES], ids=[f"{c[1].__name__}-{c[0]}" for c in CASES]
)
def test_each_history_has_its_outcome(check: Check, made: Callable[[], History], expected: Outcome) -> None:
    """Sound is MET, red is MISSED, and what is not known is UNKNOWN."""
    assert outcome(check, made()) is expected


def test_all_failures_of_the_health_verification_are_told() -> None:
    """One bad check does not hide another."""
    found = steps.health(changed(a_mistake(), "health", checks=BAD_HEALTH).evidence(), Expectation("health"))
    assert "/ready" in found.reason
    assert "database: refused" in found.reason
    assert found.figure == 31.0


def test_data_that_served_before_it_was_verified_is_missed() -> None:
    """Verification comes before service."""
    history = without("verified")
    history.say(SERVING + 1, "verified", ok=True, checks=[{"name": "books", "ok": True, "seen": "as before"}])
    assert outcome(steps.verified, history) is MISSED


@pytest.mark.parametrize(("stop", "expected"), [(True, UNKNOWN), (False, MET)], ids=["cut short", "to its end"])
def test_the_last_proof_of_a_procedure_counts(stop: bool, expected: Outcome) -> None:
    """Proved copies are not yet a proof of the server that was made anew; until version 4 they were enough."""
    history = a_mistake()
    history.drop("procedure", "step.end")
    history.say(INTENT + 1, "procedure", name="p", steps=[{"phase": "verify", "name": "prove-all", "does": ""}])
    if stop:
        history.drop("scenario.end")
    else:
        history.say(SERVING, "step.end", phase="verify", name="prove-all", ok=True, facts={})
    assert outcome(steps.verified, history) is expected
    assert outcome(steps_4.verified, history) is MET


def test_a_steady_state_seen_after_the_fault_says_nothing_about_before() -> None:
    """The order of the journal counts."""
    history = without("steady", moment="before")
    history.say(BIT + 1, "steady", ok=True, moment="before", conditions=[{"name": "serves", "ok": True, "seen": "200"}])
    assert outcome(steps.steady_before, history) is UNKNOWN


def test_redundancy_has_its_own_clock() -> None:
    """From the fault to the steady state: MISSED beyond the limit, also where it never came."""
    assert outcome(steps.redundancy, a_mistake(), LAST) is MET
    assert outcome(steps.redundancy, a_mistake(), 20) is UNKNOWN
    assert outcome(steps.redundancy, changed(a_mistake(), "steady", ok=False), 20) is MISSED


def test_a_decision_is_advisory_and_timed() -> None:
    """People's time to decide stands beside the verdict and does not count for it."""
    evidence = changed(a_mistake(), "decided", attended=True).evidence()
    found = steps.decision(evidence, Expectation("decision", limit=60))
    assert (found.outcome, found.advisory) == (MET, True)
    assert found.figure == pytest.approx(0.1)
    assert steps.decision(evidence, Expectation("decision", limit=0.05)).outcome is MISSED
    unattended = steps.decision(a_mistake().evidence(), Expectation("decision"))
    assert "decision time: not exercised" in unattended.reason
    assert unattended.advisory


def test_of_two_faults_both_must_be_healed() -> None:
    """One healed fault does not stand for the other."""
    history = a_mistake()
    history.say(INTENT - 1, "fault.intent", fault="flip", harms_data=False)
    history.say(INTENT - 0.9, "fault.effective", fault="flip", ok=True, proof="x")
    assert outcome(steps.heal, history) is UNKNOWN
    history.say(56, "fault.healed", fault="flip", ok=False, seen="still there")
    assert outcome(steps.heal, history) is MISSED


def healed(*facts: dict[str, Any], completed: bool = True) -> History:
    """A mistake whose fault was healed, or not, as these lines say."""
    history = a_mistake()
    history.drop("fault.healed")
    if not completed:
        history.drop("scenario.end")
        history.say(56, "stopped", who="ada", why="enough")
        history.say(56, "scenario.end", scenario="x", outcome="stopped", error="")
    for at, each in enumerate(facts):
        history.say(57 + at, "fault.healed", fault="destroy", by="guardian", **each)
    return history


NOT = {"ok": False, "how": "not healed", "seen": "rows are missing"}
REMOVED = {"ok": True, "how": "removal", "seen": "the stack was removed"}
FENCED = {"ok": False, "how": "left fenced", "seen": "left fenced: patroni-b leads"}


def test_how_a_fault_was_healed_is_said() -> None:
    """The removal of a stack is the last resort, called that; it hides no failed clean-up of a whole scenario."""
    expected = Expectation("heal")
    for facts, completed, wanted, words in (
        ([{"ok": True, "how": "healed", "seen": "nothing"}], True, MET, "destroy: healed by guardian"),
        ([{"ok": True, "seen": "healed"}], True, MET, "destroy: healed by guardian"),
        ([NOT], True, MISSED, "destroy: not healed, rows are missing"),
        ([FENCED], True, MISSED, "destroy: left fenced, patroni-b leads"),
        ([REMOVED], False, MET, "destroy: healed by guardian, as the last resort: its stack was removed"),
        ([NOT, REMOVED], False, MET, "destroy: healed by guardian, as the last resort"),
        ([NOT, REMOVED], True, MISSED, "destroy: not healed, rows are missing; removed with its stack in the end"),
        ([NOT, {"ok": True, "how": "healed", "seen": "nothing"}], True, MET, "destroy: healed by guardian"),
    ):  # fmt: skip  # a table
        found = steps.heal(healed(*facts, completed=completed).evidence(), expected)
        assert (found.outcome, found.reason.startswith(words)) == (wanted, True), found.reason


def test_how_long_it_was_waited_for_stands_in_the_words() -> None:
    """Since version 8: whether a platform is steady depends on when somebody looks."""
    soon, late = (changed(a_mistake(), "steady", seconds=11.96, **wrong) for wrong in ({}, {"ok": False}))
    expected = Expectation("steady-after", "steady again")
    now, never = (steps.steady_after(each.evidence(), expected).reason for each in (soon, late))
    assert now.endswith("; so 12.0 s after the first look") and never.endswith("; looked at for 12.0 s")
    assert "12.0" not in TABLE["7"].checks["steady-after"](soon.evidence(), expected).reason
