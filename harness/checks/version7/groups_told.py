"""The resolution, as versions 5 to 7 have it: what it was not told before is left open."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, groups_told
from harness.checks.evidence import Evidence, Expectation


def resolution(evidence: Evidence, expected: Expectation) -> Finding:
    return replace(groups_told.resolution(evidence, expected), title="The resolution was told, and only after it")
