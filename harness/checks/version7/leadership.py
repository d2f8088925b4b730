"""The old leader's way back, as versions 2 to 7 have it: one that was let back by nobody is not known."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.leadership import rejoined_or


def rejoined(evidence: Evidence, expected: Expectation) -> Finding:
    return rejoined_or(evidence, expected, None)
