"""The recovery point: the worse of what was lost and of what could have been lost."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, Outcome, merge
from harness.checks.answer import Check, answer
from harness.checks.evidence import Evidence, Expectation
from harness.checks.reach import AGE, LOSS, REACH, WORST


def rpo(loss: Check, exposure: Check) -> Check:
    """The check that merges these two. Both are judged against its objective; its figure is the greater of theirs."""

    def check(evidence: Evidence, expected: Expectation) -> Finding:
        lost = answer(loss, evidence, replace(expected, finding="loss"))
        exposed = answer(exposure, evidence, replace(expected, finding="exposure"))
        return _worse(evidence, expected, lost, exposed)

    return check


def _worse(evidence: Evidence, expected: Expectation, lost: Finding, exposed: Finding) -> Finding:
    both = [replace(finding, advisory=False) for finding in (lost, exposed)]
    figures = [finding.figure for finding in both if finding.figure is not None]
    lows = [finding.low for finding in both if finding.low is not None]
    highs = [finding.high for finding in both if finding.high is not None]
    whole = len(figures) == len(highs) == len(both)
    outcome = merge(both)
    beside = [pair for finding in both for pair in finding.beside if pair[0] in (LOSS, AGE, WORST)]
    if outcome is Outcome.MET and any(REACH in finding.beside for finding in both):
        beside.append(REACH)
    return expected.finding_of(
        evidence,
        "Recovery point",
        outcome,
        f"loss: {lost.reason}. Exposure: {exposed.reason}",
        figure=max(figures, default=None),
        low=max(lows, default=None),
        high=max(highs) if whole else None,
        lower_bound=bool(figures) and not whole,
        beside=tuple(beside),
    )
