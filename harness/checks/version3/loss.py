"""The ledger held against the rows, as version 3 of the rules says it: in the words of one platform."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, loss
from harness.checks.evidence import Evidence, Expectation

TITLE = "Database and ledger agree"
OTHERWISE = "have another amount or another account"


def ledger_agreement(evidence: Evidence, expected: Expectation) -> Finding:
    """Whether the database and the customers tell the same story, apart from what was lost."""
    found = loss.ledger_agreement(evidence, expected)
    return replace(found, title=TITLE, reason=found.reason.replace(loss.OTHERWISE, OTHERWISE))
