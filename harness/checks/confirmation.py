"""How long after the fault it was confirmed, by the plan's own health verification, that the platform is restored."""

from __future__ import annotations

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation, Unsound, against, effect, ineffective, moment_of, seconds

TITLE = "Restoration confirmed"


def confirmation(evidence: Evidence, expected: Expectation) -> Finding:
    """Seconds from the fault to the next health verification in which all is good; of several faults, the longest."""
    if why := ineffective(evidence):
        raise Unsound(why)
    good = [line for line in evidence.all("health") if line.data.get("ok") and line.data.get("checks")]
    worst: tuple[float, float] = (0.0, 0.0)
    for intent in evidence.all("fault.intent"):
        proved = effect(evidence, intent)
        earliest, latest = moment_of(proved)
        confirmed = next((line for line in good if line.seq > proved.seq), None)
        if confirmed is None:
            low = seconds(max(0, evidence.observed() - latest))
            why = f"{low:.3f} s after the fault {intent.data['fault']} no health verification had found all good"
            if stopped := evidence.stopped():
                why += f" ({stopped})"
            outcome = against(low, low, expected.limit, lower_bound=True)
            return expected.finding_of(evidence, TITLE, outcome, why, figure=low, low=low, lower_bound=True)
        worst = max(worst, (seconds(confirmed.mono - earliest), seconds(confirmed.mono - latest)))
    high, low = worst
    words = f"every health check was good at most {high:.3f} s after the fault"
    outcome = against(low, high, expected.limit)
    return expected.finding_of(evidence, TITLE, outcome, words, figure=high, low=low, high=high)
