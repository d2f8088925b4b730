"""How long until damage was noticed by those who look for it, each by itself: a check, a log, customers who complain.

The figure is of the first of them; how long each took stands beside it. What nobody noticed has no end.
"""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, against, disaster, seconds

TITLE = "The damage was noticed"


def noticed(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault's effect to the first `detected` after it, against `expected.limit`.

    Errors: `Unsound` when it is not known that the fault took effect.
    """
    hurt = disaster(evidence)
    seen = [line for line in evidence.all("detected") if line.mono >= hurt.latest]
    if not seen:
        low = seconds(max(0, evidence.observed() - hurt.latest))
        stopped = evidence.stopped()
        why = f"nobody had noticed it {low:.3f} s after the fault" + (f" ({stopped})" if stopped else "")
        outcome = against(low, low, expected.limit, lower_bound=True)
        return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True)
    low, high = seconds(seen[0].mono - hurt.latest), seconds(seen[0].mono - hurt.earliest)
    words = "; ".join(f"{line.data.get('by')}: {line.data.get('seen')}" for line in seen)
    beside = tuple((str(line.data.get("by")), f"{seconds(line.mono - hurt.earliest):.3f} s") for line in seen)
    beside += tuple((str(line.data.get("by")), "saw nothing") for line in evidence.all("not_detected"))
    outcome = Outcome.MET if expected.limit is None else against(low, high, expected.limit)
    return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high, beside=beside)
