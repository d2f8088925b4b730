"""How much a run could have seen. It stands beside each verdict: what lies beyond it was not judged.

A drill of one minute shows no outage of four hours, and customers whose writes reach back 15 s show no loss of five
minutes. Where the objective lies beyond, the verdict is met as far as the run could see, and says so.
"""

from __future__ import annotations

from dataclasses import replace

from harness.checks import Finding, Outcome

OUTAGE = "longest outage this run could have seen"
LOSS = "greatest loss this run could have seen"
AGE = "greatest age this run could have seen"
WORST = "exposure was at its worst"  # of the pair beside a finding that says when
WITHIN = "within what this run could see"
NAME = "reach"  # of the pair beside a finding whose objective lies beyond
REACH = (NAME, WITHIN)


def within_reach(found: Finding, what: str, length: float) -> Finding:
    """The finding with what the run could have seen beside it; `length` in seconds, as its figure and objective are."""
    beside = (*found.beside, (what, f"{length:.1f} s"))
    beyond = found.outcome is Outcome.MET and found.objective is not None and found.objective > length
    if not beyond:
        return replace(found, beside=beside)
    reason = f"{found.reason}; {WITHIN}, {length:.1f} s at most"
    return replace(found, reason=reason, beside=(*beside, REACH))
