"""Whether a region that was fenced stays so: it tells nobody that a transaction is stored, until it leads again."""

from __future__ import annotations

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation
from harness.checks.places import (
    FENCE,
    HAND_BACK,
    LONGEST_GAP,
    PROMOTE,
    answered_by,
    handed_back,
    longest_time_between,
    looks_at,
    servers_of,
)
from harness.checks.steps import begun, done, facts

FENCED = "Once it is fenced, the lost region takes no write until it leads again"
LOOKS = "looks in all"  # what stands beside
MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN


def region_fenced(evidence: Evidence, expected: Expectation) -> Finding:
    """The fence came before the promotion, and from there until it was handed the lead again no server of the lost
    region took writes: by what was looked at, and by what customers were answered. The figure: looks that saw one; how
    many there were stands beside. What was seen before the fence, and once it was to lead again, does not count."""
    fenced, promoting = done(evidence, FENCE), begun(evidence, PROMOTE)

    def found(outcome: Outcome, words: str, many: float | None = None, looks: int = 0) -> Finding:
        return expected.finding_of(
            evidence, FENCED, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="looks",
            beside=((LOOKS, f"{looks:,}"),) if looks else (),
        )  # fmt: skip  # arguments in groups

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
    over = "it was to lead again" if begun(evidence, HAND_BACK) else "nobody looked any more"
    words = f"{wrote} of {len(looks)} looks at {lost}, from its fence until {over}, saw a server that takes writes"
    if answered:
        why = f"{answered} writes were acknowledged by {lost} after it was fenced; {words}"
        return found(MISSED, why, float(wrote), len(looks))
    if wrote:
        which = sorted({each for line in evidence.all("region.looks") for each in line.data.get("servers") or ()})
        return found(MISSED, f"{words}: {', '.join(which) or 'nobody says which'}", float(wrote), len(looks))
    if not known:
        why = f"nobody looked whether {lost} takes writes" if not looks else f"{len(looks)} looks at {lost} saw nothing"
        return found(UNKNOWN, why)
    gap = longest_time_between(known, since=fenced.mono, until=until)
    words += f"; the longest time between two was {gap:.3f} s"
    if unsure := len(looks) - len(known):
        words += f" ({unsure} looks saw nothing, and count as none)"
    return found(UNKNOWN if gap > LONGEST_GAP else MET, words, 0.0, len(looks))
