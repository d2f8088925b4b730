"""Steady again, as version 3 of the rules has it: also of a scenario that broke off, where it was looked at once."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.steps import listed


def steady_after(evidence: Evidence, expected: Expectation) -> Finding:
    """The steady state again, once all is healed."""
    line = evidence.moment("steady", "after")
    title = "Steady again at the end"
    if line is None:
        why = evidence.stopped() or "the steady state was not looked at again"
        return expected.finding_of(evidence, title, Outcome.UNKNOWN, why)
    ok = bool(line.data.get("ok")) and bool(line.data.get("conditions"))
    words = listed(line.data.get("conditions"), ok=ok)
    return expected.finding_of(evidence, title, Outcome.MET if ok else Outcome.MISSED, words)
