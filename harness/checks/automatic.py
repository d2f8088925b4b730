"""Whether the platform went on by itself: good service again before anybody repaired or ended anything.

Anybody is whoever follows a procedure, and the scenario that ends a fault. The good stretch must have lasted
`LASTS` when the first of them came, or the service may as well have been theirs.
"""

from __future__ import annotations

from array import array
from datetime import timedelta
from typing import Any

from harness.checks import Finding, Outcome
from harness.checks.evidence import SECOND, Evidence, Expectation, Line, against, disaster, seconds
from harness.checks.rto import LONGEST, first_answer, missing_ledgers
from harness.checks.service import by_due, unanswered

TITLE = "Service without a person"
LASTS = timedelta(seconds=1)
TOUCHES = ("step.begin", "fault.still_active")  # a procedure's first act, and what is asked before a fault is ended


def automatic(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault to good service that nobody's hand brought back, against `expected.limit`.

    Errors: `Unsound` when it is not known that the fault took effect.
    """
    hurt = disaster(evidence)
    if missing := missing_ledgers(evidence, inside=False):
        why = f"the ledger of {', '.join(missing)} is missing"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why)
    touched = touched_first(evidence, after=hurt.latest)
    until = touched.mono if touched else evidence.observed()
    last_bad, good_again, last_due, widest = None, None, None, 0
    due: dict[str, int] = {}
    answers: tuple[array[int], array[int]] = array("q"), array("q")
    for group, request in by_due(evidence):
        if request.due < hurt.earliest and (request.ended is None or request.ended < hurt.earliest):
            continue
        if request.due >= until or request.ended is None:
            continue
        widest = max(widest, request.due - due.get(group, hurt.earliest))
        due[group] = request.due
        if request.outcome != "acknowledged":
            last_bad, good_again = request.due, None
        elif request.ended <= until:
            if request.due >= hurt.earliest:
                answers[0].append(request.due)
                answers[1].append(request.ended)
            last_due = request.due
            if request.due < hurt.latest:  # it may have been answered before the fault took effect
                continue
            good_again = request.ended if good_again is None else min(good_again, request.ended)
    when = who(touched) if touched else "the scenario ended"
    by = f"before {when}"
    if last_due is None and last_bad is None:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, f"no request was due after the fault and {by}")
    lasted = (last_due or 0) - (last_bad or hurt.earliest)
    if good_again is None or lasted < LASTS // timedelta(microseconds=1) * 1000:
        low = seconds(max(0, (last_bad or until) - hurt.latest))
        by_the_scenario = touched is not None and not evidence.stopped()
        outcome = Outcome.MISSED if by_the_scenario else against(low, low, expected.limit, lower_bound=True)
        why = f"customers were not served again {by}" + (f" ({evidence.stopped()})" if evidence.stopped() else "")
        return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True)
    if last_bad is None:
        low, high = 0.0, seconds(max(widest, unanswered(*answers, since=hurt.earliest)))
        words = f"no request was bad {by}: without service for {high:.3f} s at most, {LONGEST}"
        outcome = Outcome.MET if expected.limit is None else against(low, high, expected.limit)
        return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)
    low, high = seconds(max(0, last_bad - hurt.latest)), seconds(good_again - hurt.earliest)
    words = (
        f"good service again at most {high:.3f} s after the fault; it had lasted {lasted / SECOND:.1f} s when {when}"
        + first_answer(last_bad, good_again)
    )
    outcome = Outcome.MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)


def touched_first(evidence: Evidence, *, after: int) -> Line | None:
    return next((line for line in evidence.lines if line.kind in TOUCHES and line.mono > after), None)


def who(line: Line) -> str:
    if line.kind == "step.begin":
        return f"anybody did anything (step “{line.data.get('name')}”)"
    return f"{line.data.get('fault')} was ended or repaired"


def told_all(evidence: Evidence, expected: Expectation) -> Finding:
    """While something failed, every check of the health verification was asked, and all that failed were named."""
    title = "Every failure is named"
    survey, health = evidence.last("survey"), evidence.last("health")
    if survey is None or health is None:
        why = (
            evidence.stopped() or "the health verification was not made while something failed, and once more after it"
        )
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why)
    asked = {str(check["name"]) for check in survey.data.get("checks") or ()}
    wanted = {str(check["name"]) for check in health.data.get("checks") or ()}
    failed = [_failed(check) for check in survey.data["checks"] if not check.get("ok")]
    if asked != wanted:
        left = ", ".join(sorted(wanted - asked))
        return expected.finding_of(evidence, title, Outcome.MISSED, f"it stopped before it had asked {left}")
    if not failed:
        return expected.finding_of(
            evidence, title, Outcome.MISSED, "it named nothing, although the platform had failed"
        )
    words = f"{len(failed)} of {len(asked)} named: {'; '.join(failed)}"
    return expected.finding_of(evidence, title, Outcome.MET, words)


def _failed(check: dict[str, Any]) -> str:
    took = f", after {float(check['seconds']):.2f} s of {float(check['limit']):g} s" if "seconds" in check else ""
    return f"{check['name']}: {check['seen']}{took}"
