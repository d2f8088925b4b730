"""A region that was fenced, as version 5 has it: "the lost region takes no write", and how many looks there were."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.places import (
    FENCE,
    LONGEST_GAP,
    PROMOTE,
    answered_by,
    handed_back,
    longest_time_between,
    looks_at,
    servers_of,
)
from harness.checks.steps import begun, done, facts

FENCED = "The lost region takes no write"
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def region_fenced(evidence: Evidence, expected: Expectation) -> Finding:
    """The fence came before the promotion, and from there until it was handed the lead again no server of the lost
    region took writes: by what was looked at, and by what customers were answered. The figure: looks that saw one."""
    fenced, promoting = done(evidence, FENCE), begun(evidence, PROMOTE)

    def found(outcome: Outcome, words: str, many: float | None = None) -> Finding:
        return expected.finding_of(
            evidence, FENCED, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="looks"
        )

    if promoting is not None and (fenced is None or fenced.seq > promoting.seq):
        return found(MISSED, "the second region was promoted, and the lost one was not fenced")
    if fenced is None or promoting is None:
        return found(UNKNOWN, evidence.stopped() or "nothing was promoted")
    lost = str(facts(fenced).get("region"))
    until = handed_back(evidence)
    looks = [look for look in looks_at(evidence, lost) if fenced.mono <= look[0] and look[1] <= until]
    known = [look for look in looks if look[2] is not None]
    wrote = sum(bool(look[2]) for look in known)
    answered = sum(
        request.sent is not None
        and fenced.mono <= request.sent
        and request.ended is not None
        and request.ended < until  # else it was stored, it may be, once that led again
        for request in answered_by(evidence, servers_of(evidence, lost))
    )
    words = f"{len(looks)} looks at {lost}"
    if answered:
        return found(
            MISSED, f"{answered} writes were acknowledged by {lost} after it was fenced; {words}", float(wrote)
        )
    if wrote:
        which = sorted({each for line in evidence.all("region.looks") for each in line.data.get("servers") or ()})
        return found(MISSED, f"{words}, {wrote} of them saw that {', '.join(which) or 'it'} takes writes", float(wrote))
    if not known:
        return found(UNKNOWN, f"nobody looked whether {lost} takes writes" if not looks else f"{words} saw nothing")
    gap = longest_time_between(known, since=fenced.mono, until=until)
    words += f", none of which saw it take a write; the longest time between two was {gap:.3f} s"
    if unsure := len(looks) - len(known):
        words += f" ({unsure} looks saw nothing, and count as none)"
    return found(UNKNOWN if gap > LONGEST_GAP else MET, words, 0.0)
