"""The switch of the names, as versions 6 and 7 have it: those in the lost region are left out without a word."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.switched import switched_for


def names_switched(evidence: Evidence, expected: Expectation) -> Finding:
    return switched_for(evidence, expected, "customers of every place")
