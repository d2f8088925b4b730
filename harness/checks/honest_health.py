"""Whether the health verification said that all is well while no customer was served: customers are the truth."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import SECOND, Evidence, Expectation, Line, seconds
from harness.checks.rto import missing_ledgers

TITLE = "Health says what customers see"
AROUND = 3 * SECOND  # nanoseconds before it was told: what was due then is what customers saw


def honest_health(evidence: Evidence, expected: Expectation) -> Finding:
    """Each time that it said that all is well, some request of the customers outside was served about then. The figure:
    requests of that time, at the worst one, none of which was."""
    hurt = evidence.first("fault.intent")
    told = [line for line in evidence.all("health") if hurt is not None and line.seq > hurt.seq]
    if not told:
        why = evidence.stopped() or "the health was not verified after the fault"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, unit="requests", objective=0.0)
    if missing := missing_ledgers(evidence, inside=False):
        why = f"the ledger of {', '.join(missing)} is missing"
        return expected.finding_of(evidence, TITLE, Outcome.UNKNOWN, why, unit="requests", objective=0.0)
    well = [line for line in told if line.data.get("ok")]
    counted = [(line, *_around(evidence, line)) for line in well]
    lies = [(line, due) for line, due, served in counted if due and not served]
    if lies:
        line, many = max(lies, key=lambda each: each[1])
        words = f"health said that all is well, and none of {many} requests due in the {seconds(AROUND):g} s before it"
        words += f" was served: {', '.join(str(check.get('name')) for check in line.data.get('checks') or ())}"
        return _finding(evidence, expected, Outcome.MISSED, words, float(many))
    if any(not due for _, due, _ in counted):
        return _finding(evidence, expected, Outcome.UNKNOWN, "no request was due as health said that all is well", None)
    words = f"it said {len(well)} times that all is well, and customers were served"
    words = words if well else "it never said that all is well"
    return _finding(evidence, expected, Outcome.MET, words, 0.0)


def _finding(evidence: Evidence, expected: Expectation, outcome: Outcome, words: str, many: float | None) -> Finding:
    return expected.finding_of(
        evidence, TITLE, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="requests"
    )


def _around(evidence: Evidence, line: Line) -> tuple[int, int]:
    """How many requests were due just before that line, and how many of them were served."""
    due = served = 0
    for group in evidence.outside:
        for request in evidence.requests(group):
            if line.mono - AROUND <= request.due < line.mono:
                due += 1
                served += request.outcome == "acknowledged"
    return due, served
