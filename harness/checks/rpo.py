"""The recovery point: the worse of what was lost and of what could have been lost."""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, merge
from harness.checks.evidence import Evidence, Expectation


def rpo(evidence: Evidence, expected: Expectation, lost: Finding, exposed: Finding) -> Finding:
    """Both findings must be judged against the same objective. The figure is the greater of the two."""
    both = [replace(finding, advisory=False) for finding in (lost, exposed)]
    figures = [finding.figure for finding in both if finding.figure is not None]
    lows = [finding.low for finding in both if finding.low is not None]
    highs = [finding.high for finding in both if finding.high is not None]
    whole = len(figures) == len(highs) == len(both)
    return expected.finding_of(
        evidence,
        "Recovery point",
        merge(both),
        f"loss: {lost.reason}. Exposure: {exposed.reason}",
        figure=max(figures, default=None),
        low=max(lows, default=None),
        high=max(highs) if whole else None,
        lower_bound=bool(figures) and not whole,
    )
