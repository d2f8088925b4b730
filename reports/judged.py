"""What one finding has judged, and how its outcome and its figure are said: in words no larger than what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR

from harness.checks import Finding, Outcome
from harness.checks.fenced import LOOKS
from harness.checks.reach import NAME as REACH
from harness.checks.reach import WITHIN
from harness.checks.restored import DATABASE
from reports.words import length, measured, ratio, size

Beside = Sequence[tuple[str, str]]
SILENT = ("1", "2")  # versions of the rules that do not say how far a run could see
OUTAGES = ("rto", "automatic")
RECOVERIES = (*OUTAGES, "self-recovery")
LOSSES = ("loss", "exposure", "rpo", "backup-frequency")
YEAR = "availability"  # of a year; no run is one
NOT_BAD = "no request was bad"
BY_RULES = (NOT_BAD, "no request of the customers was bad")  # as the versions of the rules say it in a reason
RAN_ON = "the clock ran until"  # after a fault that harms data answers are no service, however good they look


def reach(outcome: Outcome | None, beside: Beside) -> str:
    """What must be said with this outcome: of MET, that the objective lies beyond what the run could see; else ""."""
    return next((words for name, words in beside if name == REACH), "") if outcome is Outcome.MET else ""


def said(outcome: Outcome, beside: Beside) -> str:
    """`MET`, or `MET, within what this run could see`."""
    return ", ".join(filter(None, (str(outcome), reach(outcome, beside))))


def others(beside: Beside) -> tuple[tuple[str, str], ...]:
    """What else stands beside a finding."""
    return tuple((name, _sized(name, words)) for name, words in beside if name not in (REACH, LOOKS))


def _sized(name: str, words: str) -> str:
    """Bytes of a restore, which a finding has to the last one."""
    if not (name.startswith("bytes ") and words.isascii() and words.isdigit()):
        return words
    return size(int(words)) + (" a second" if name.startswith("bytes a second") else "")


def with_reach(finding: Finding, *, outage: float | None, back: float | None) -> Finding:
    """The finding of rules that do not say how far a run could see, with that said where its objective lies beyond.

    `outage`: seconds from the fault to the last that customers did; `back`: seconds of their writes before the fault.
    No figure is added or changed.
    """
    if finding.outcome is not Outcome.MET or finding.objective is None:
        return finding
    far = outage if finding.id in OUTAGES else back if finding.id in LOSSES else None
    beyond = finding.id == YEAR or (far is not None and finding.unit == "s" and finding.objective > far)
    return replace(finding, beside=(*finding.beside, (REACH, WITHIN))) if beyond else finding


def exercised(finding: Finding) -> bool:
    """Whether the demands that the finding names were exercised by it: it counts, and it has judged them.

    What is advisory or UNKNOWN has judged nothing, and that few seconds were bad says nothing of a year.
    """
    judged = finding.outcome is Outcome.MISSED or (finding.outcome is Outcome.MET and finding.id != YEAR)
    return judged and not finding.advisory


def database_of(finding: Finding) -> str:
    """Which it is about, of those that were restored beside; empty where it is about none."""
    return dict(finding.beside).get(DATABASE, "")


def reason_of(finding: Finding) -> str:
    """The reason, without the database that its title names."""
    return finding.reason.removeprefix(f"{database_of(finding)}: ")


def not_bad(id: str, reason: str) -> bool:
    """Whether customers were served all along, so that the figure of a recovery is none."""
    return id in RECOVERIES and any(words in reason for words in BY_RULES) and RAN_ON not in reason


def figure_of(finding: Finding) -> str:
    """`12.4 s (12.1 to 12.6)`; where nothing had to recover `no request was bad (0 s to 3.77 s)`."""
    if not_bad(finding.id, finding.reason):
        return unbroken(finding.low, finding.high)
    if (many := dict(finding.beside).get(LOOKS)) and finding.figure is not None:
        return f"{finding.figure:,.0f} of {many} {finding.unit}"
    return measured(finding.figure, finding.low, finding.high, finding.unit, lower_bound=finding.lower_bound)


def unbroken(low: float | None, high: float | None) -> str:
    """That no request was bad, with the bar: from its low end to the first good answer after the fault."""
    if high is None:
        return NOT_BAD
    begin = length(low or 0.0, like=high, rounding=ROUND_FLOOR)
    return f"{NOT_BAD} ({begin} to {length(high, like=high, rounding=ROUND_CEILING)})"


def used(finding: Finding) -> str:
    """How much of the objective the figure is; empty where nothing had to recover."""
    if not_bad(finding.id, finding.reason):
        return ""
    return ratio(finding.figure, finding.objective, lower_bound=finding.lower_bound)
