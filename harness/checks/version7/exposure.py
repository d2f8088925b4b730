"""Exposure, as versions 6 and 7 have it: an archive has stopped by what may have waited at the end,
which one slow sample makes too long.
"""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.exposure import Ages, archived, received


def exposure(evidence: Evidence, expected: Expectation) -> Finding:
    return archived(evidence, expected, _at_most)


def exposure_beyond(evidence: Evidence, expected: Expectation) -> Finding:
    return received(evidence, expected, _at_most)


def backup_frequency(evidence: Evidence, expected: Expectation) -> Finding:
    return replace(exposure(evidence, expected), title="Age of the newest safe copy of transaction data")


def _at_most(ages: Ages) -> int:
    return ages.open
