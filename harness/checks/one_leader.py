"""Whether ever two database servers of the cluster said that they lead, by who asked all of them each second.

Customers need not have been told: two who lead are a split brain that only waits for its first write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.checks import Finding, Outcome
from harness.checks.evidence import Evidence, Expectation, Unsound, seconds

TITLE = "One database server leads"
LONGEST_GAP = 10.0  # seconds without a look at all of them; behind a longer one two could have led unseen


class Look(NamedTuple):
    """At all servers. Times are nanoseconds of the monotonic clock."""

    asked: int
    told: int
    leading: tuple[str, ...]
    silent: tuple[str, ...]  # gave no answer, and may have led


def one_leader(evidence: Evidence, expected: Expectation) -> Finding:
    """No look saw two. The figure: looks that did.

    Errors: `Unsound` where a line of looks is none.
    """

    def found(outcome: Outcome, words: str, many: float | None) -> Finding:
        return expected.finding_of(
            evidence, TITLE, outcome, words, figure=many, low=many, high=many, objective=0.0, unit="looks"
        )

    looks = list(_looks(evidence))
    two = [look for look in looks if len(look.leading) > 1]
    if two:
        names = " and ".join(sorted({name for look in two for name in look.leading}))
        length = seconds(two[-1].told - two[0].asked)
        words = f"{names} said that they lead at once, in {len(two)} of {len(looks)} looks, within {length:.3f} s"
        return found(Outcome.MISSED, words, float(len(two)))
    if not looks:
        return found(Outcome.UNKNOWN, evidence.stopped() or "nobody asked the database servers who leads", None)
    whole = [look for look in looks if not look.silent]
    words = f"{len(looks)} looks at every server, none of which saw two lead"
    if unsure := len(looks) - len(whole):
        silent = ", ".join(sorted({name for look in looks for name in look.silent}))
        words += f"; {silent} gave no answer in {unsure} of them, and may have led"
    gap = _longest_gap(whole, since=looks[0].asked, until=max(looks[-1].told, evidence.observed()))
    words += f"; the longest time without a look at all of them was {gap:.3f} s"
    return found(Outcome.UNKNOWN if gap > LONGEST_GAP else Outcome.MET, words, 0.0)


def _looks(evidence: Evidence) -> Iterator[Look]:
    for line in evidence.all("leaders.looks"):
        for said in line.data.get("looks") or ():
            try:
                asked, told, leading, silent = said
                look = Look(asked, told, tuple(map(str, leading)), tuple(map(str, silent)))
            except (TypeError, ValueError):
                raise Unsound(f"line {line.seq + 1} has a look at the database servers that is none") from None
            if type(asked) is not int or type(told) is not int or not asked <= told <= line.mono:
                raise Unsound(f"line {line.seq + 1} does not say when the database servers were asked")
            yield look


def _longest_gap(looks: list[Look], *, since: int, until: int) -> float:
    ends = [since, *(look.told for look in looks)]
    begins = [*(look.asked for look in looks), until]
    return max(seconds(begin - end) for end, begin in zip(ends, begins, strict=True))
