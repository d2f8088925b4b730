"""Service without a person, as version 3 has it: without a bad request, only the time between two bounds an outage."""

from __future__ import annotations

from datetime import timedelta

from harness.checks import Finding, Outcome
from harness.checks.automatic import LASTS, TITLE, touched_first, who
from harness.checks.evidence import SECOND, Evidence, Expectation, against, disaster, seconds
from harness.checks.rto import missing_ledgers
from harness.checks.service import by_due


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
            last_due = request.due
            good_again = request.ended if good_again is None else min(good_again, request.ended)
    when = who(touched) if touched else "the scenario ended"
    by = f"before {when}"
    if last_due is None and last_bad is None:
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, f"no request was due after the fault and {by}")
    lasted = (last_due or 0) - (last_bad or hurt.earliest)
    if good_again is None or lasted < LASTS // timedelta(microseconds=1) * 1000:
        low = seconds(max(0, (last_bad or until) - hurt.latest))
        outcome = Outcome.MISSED if touched else Outcome.UNKNOWN
        why = f"customers were not served again {by}" + (f" ({evidence.stopped()})" if evidence.stopped() else "")
        return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True)
    if last_bad is None:
        low, high = 0.0, seconds(widest)
        words = f"no request was bad {by}: without service for {high:.3f} s at most, the longest time between two"
        outcome = Outcome.MET if expected.limit is None else against(low, high, expected.limit)
        return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)
    low, high = seconds(max(0, last_bad - hurt.latest)), seconds(good_again - hurt.earliest)
    words = (
        f"good service again at most {high:.3f} s after the fault; it had lasted {lasted / SECOND:.1f} s when {when}"
    )
    outcome = Outcome.MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)
