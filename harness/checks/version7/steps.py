"""Steady again at the end, as versions 4 to 7 have it: without how long it was waited for."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.steps import steady_again


def steady_after(evidence: Evidence, expected: Expectation) -> Finding:
    return steady_again(evidence, expected, lambda _: "")
