"""One check, asked: what the evidence does not bear is UNKNOWN with the reason, never an error."""

from __future__ import annotations

from collections.abc import Callable

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound
from harness.checks.restored import of_database

Check = Callable[[Evidence, Expectation], Finding]

UNITS = {
    "no-loss": "transactions",
    "ledger-agreement": "transactions",
    "exactness": "transactions",
    "salvage": "transactions",
    "split-brain": "transactions",
    "two-leaders": "transactions",
    "failovers": "promotions",
    "consistency": "figures",
    "replayed-all": "bytes",
    "region-fenced": "looks",
    "switchback-lossless": "transactions",
}  # of what the limit counts, where it is no time; also where there is no figure
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)  # what a line of a wrong form raises


def answer(check: Check | None, evidence: Evidence, expected: Expectation) -> Finding:
    """The check's finding; UNKNOWN where the rules know no such check, or the evidence does not bear it."""
    if check is None:
        return unknown(evidence, expected, "these rules know no such check")
    try:
        return check(evidence, expected)
    except Unsound as why:
        return unknown(evidence, expected, str(why))
    except MALFORMED as error:
        return unknown(evidence, expected, malformed(error))


def unknown(evidence: Evidence, expected: Expectation, why: str) -> Finding:
    """UNKNOWN, under the finding's own name and in its unit."""
    title = expected.finding.replace("-", " ").capitalize()
    found = expected.finding_of(evidence, title, Outcome.UNKNOWN, why, unit=UNITS.get(expected.finding, "s"))
    return of_database(found, expected.database)


def malformed(error: Exception) -> str:
    """What a line of a wrong form raised, in words."""
    return f"the journal is not as it must be: {type(error).__name__} {error}"
