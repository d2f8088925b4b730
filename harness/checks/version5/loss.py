"""What was lost, as version 5 has it: without who lost it."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding
from harness.checks import loss as now
from harness.checks.evidence import Evidence, Expectation
from harness.checks.version6 import loss as as_6


def loss(evidence: Evidence, expected: Expectation) -> Finding:
    """As rules of version 2 ask it, too."""
    return _without_groups(as_6.loss(evidence, expected))


def loss_seen(evidence: Evidence, expected: Expectation) -> Finding:
    return _without_groups(as_6.loss_seen(evidence, expected))


def no_loss(evidence: Evidence, expected: Expectation) -> Finding:
    return _without_groups(now.no_loss(evidence, expected))


def _without_groups(found: Finding) -> Finding:
    return replace(found, beside=tuple(pair for pair in found.beside if pair[0] != now.BY_WHOM))
