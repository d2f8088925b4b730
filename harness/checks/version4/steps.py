"""Verified data, as version 4 has it: the first proof of a procedure is enough, also where it was cut short."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.steps import listed

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def verified(evidence: Evidence, expected: Expectation) -> Finding:
    """Whatever was to be proved after that."""
    title = "The recovered data was verified"
    line = evidence.last("verified")
    serving = evidence.first("in_service")
    stopped = evidence.stopped()
    if line is None:
        if stopped and serving is None:
            return expected.finding_of(evidence, title, UNKNOWN, f"not verified: {stopped}")
        return expected.finding_of(evidence, title, MISSED, "the recovered data was never verified")
    ok = bool(line.data.get("ok")) and bool(line.data.get("checks"))
    words = listed(line.data.get("checks"), ok=ok)
    first = next((each for each in evidence.all("verified") if each.data.get("ok")), None)
    if ok and serving is not None and first is not None and serving.seq < first.seq:
        return expected.finding_of(evidence, title, MISSED, f"it served before it was verified; {words}")
    return expected.finding_of(evidence, title, MET if ok else MISSED, words)
