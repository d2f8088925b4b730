"""The planned switchback, as version 5 has it: only until the first answer to anybody, whatever came after that."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, seconds
from harness.checks.join import joined
from harness.checks.loss import FINAL, missing_rows, nothing_to_lose, tally
from harness.checks.places import HAND_BACK, PROMOTE, answered_by, servers_of
from harness.checks.steps import begun, done, facts

LOSSLESS = "The planned switchback loses nothing"
SWITCHBACK = "switchback"  # the phase
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def switchback_lossless(evidence: Evidence, expected: Expectation) -> Finding:
    """Not one transaction is missing in the end that was acknowledged since the second region was promoted, customers
    wrote before the planned switchback and after it, and the first region has all that the second was shut down with.
    """

    def found(outcome: Outcome, words: str, many: float | None = None, **more: object) -> Finding:
        return expected.finding_of(
            evidence, LOSSLESS, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="transactions",
            **more,
        )  # fmt: skip  # arguments in groups

    promoted, handed = begun(evidence, PROMOTE), done(evidence, HAND_BACK)
    steps = [line for line in evidence.all("step.begin") if line.data.get("phase") == SWITCHBACK]
    if promoted is None or not steps or handed is None:
        failed = [line for line in evidence.all("step.end") if line.data.get("phase") == SWITCHBACK]
        wrong = next((str(facts(line).get("error")) for line in failed if not line.data.get("ok")), "")
        return found(MISSED if wrong else UNKNOWN, wrong or evidence.stopped() or "nothing was switched back")
    if missing := missing_rows(evidence, FINAL):
        return found(UNKNOWN, f"the final rows of customers {', '.join(missing)} were not read")
    if why := nothing_to_lose(evidence, tally(evidence)):
        return found(UNKNOWN, why)
    acknowledged = lost = 0
    for group in evidence.zones:
        for request, row, again in joined(evidence.requests(group), evidence.rows(FINAL, group)):
            if request is None or again or request.outcome != "acknowledged":
                continue
            if request.sent is not None and request.sent >= promoted.mono:
                acknowledged += 1
                lost += row is None
    words = f"of {acknowledged} transactions acknowledged since the second region led {lost} are lost"
    if lost:
        return found(MISSED, words, float(lost))
    before = _stored(evidence, str(facts(done(evidence, PROMOTE)).get("region")), until=steps[0].mono)
    after = _stored(evidence, str(facts(handed).get("region")), since=handed.mono)
    if not before or not after:
        return found(UNKNOWN, f"nobody wrote {'after' if before else 'before'} it, so nothing could be lost; {words}")
    pause = seconds(min(after) - max(before))
    beside = (("without an answer in between", f"{pause:.3f} s"),)
    return found(MET, f"{words}; customers were without an answer for {pause:.3f} s", 0.0, beside=beside)


def _stored(evidence: Evidence, region: str, *, since: int = 0, until: int | None = None) -> list[int]:
    """When answers came of that region's database, in a stretch of time."""
    ends = (request.ended for request in answered_by(evidence, servers_of(evidence, region)))
    return [end for end in ends if end is not None and end >= since and (until is None or end <= until)]
