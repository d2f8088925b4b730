"""How often data was backed up, as version 2 of the rules has it: without what the run could have seen."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.version5.exposure import exposure


def backup_frequency(evidence: Evidence, expected: Expectation) -> Finding:
    """The exposure, against how often the plan wants a backup."""
    return replace(exposure(evidence, expected), title="Age of the newest safe copy of transaction data")
