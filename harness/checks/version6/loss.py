"""What was lost, as version 6 has it: where nothing was recovered, a loss spans to the last answer of all."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation
from harness.checks.loss import seen, spanning, tally


def loss(evidence: Evidence, expected: Expectation) -> Finding:
    """As rules of version 2 ask it, too."""
    total = tally(evidence)
    return spanning(evidence, expected, sent=total.last_sent, answered=total.last_acknowledged)


def loss_seen(evidence: Evidence, expected: Expectation) -> Finding:
    return seen(evidence, loss(evidence, expected))
