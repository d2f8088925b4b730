"""Steady again at the end, as versions 4 to 7 have it: without how long it was waited for; and `1 checks`, as all have
it before version 8."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.steps import health_asked, steady_again


def steady_after(evidence: Evidence, expected: Expectation) -> Finding:
    return steady_again(evidence, expected, lambda _: "")


def health(evidence: Evidence, expected: Expectation) -> Finding:
    return health_asked(evidence, expected, lambda many: f"{many} checks are")
