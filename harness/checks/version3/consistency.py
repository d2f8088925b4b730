"""The books before and after, as version 3 of the rules has them: one platform, whose rules no journal says."""

from __future__ import annotations

from harness.checks import Finding, Outcome, reconciliation
from harness.checks.consistency import by_rules
from harness.checks.evidence import Evidence, Expectation
from harness.evidence.format1 import RECONCILIATION_RULES

RULES = reconciliation.read(RECONCILIATION_RULES)


def consistency(evidence: Evidence, expected: Expectation) -> Finding:
    """A value that was taken before or after alone is MISSED."""
    return by_rules(evidence, expected, lambda _: RULES, missing=Outcome.MISSED)
