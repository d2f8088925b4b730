"""Figures and verdicts, by pure functions over journal, ledger and recovered rows. No clock, no network, no file.

MISSED beats UNKNOWN beats MET when findings are merged; no finding at all is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

RULES = "8"  # the version of the rules that judge, named in every journal's first line; `harness.checks.rules` has all
OLDER = (
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
)  # versions before it, whose findings mean the same; `harness.checks.ids` has their names


NOT_EXERCISED = "not exercised"  # the outcome of a scenario that was not begun, because its stack lacks what it needs
ON_THIS_STACK = f"{NOT_EXERCISED} on this stack"  # what its findings say, and then what is lacking


class Outcome(StrEnum):
    MET = "MET"
    MISSED = "MISSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """One check's outcome.

    `figure`, `low`, `high` and `objective` share one `unit` ("s", "transactions", …); None where there is no figure.
    The truth lies in [`low`, `high`]. A `lower_bound` means: at least this much. An `advisory` finding does not
    count for the verdict (a person's decision that nobody took, say).
    """

    id: str  # rto, loss, exposure, exactness, …
    scenario: str
    title: str
    outcome: Outcome
    reason: str
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    objective: float | None = None
    unit: str = "s"
    lower_bound: bool = False
    advisory: bool = False
    demands: tuple[str, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()  # of an RTO: detect, decide, recover, verify in seconds
    beside: tuple[
        tuple[str, str], ...
    ] = ()  # what a reader must see with the figure: of a loss, transactions and money


def merge(findings: Iterable[Finding]) -> Outcome:
    """The verdict over findings."""
    return merge_outcomes(finding.outcome for finding in findings if not finding.advisory)


def merge_outcomes(outcomes: Iterable[Outcome]) -> Outcome:
    """MISSED beats UNKNOWN beats MET, and nothing at all is UNKNOWN."""
    found = set(outcomes)
    for worst in (Outcome.MISSED, Outcome.UNKNOWN):
        if worst in found:
            return worst
    return Outcome.MET if found else Outcome.UNKNOWN


@dataclass(frozen=True)
class Verdict:
    """Findings, and what they come to together."""

    outcome: Outcome
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Verdict:
        kept = tuple(findings)
        return cls(merge(kept), kept)
