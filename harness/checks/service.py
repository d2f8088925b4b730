"""What customers saw of the service, in one pass over their ledgers: when it was last bad, and when it was good again.

Good service is every due request answered, in time: a request that failed, is in doubt, or could not be sent for
want of free clients is bad. A stretch in which nothing was due shows nothing, and counts as neither; nor does a
request whose customer was killed while waiting. Only customers outside of the zones count: groups inside a zone, which
write past the entrance, may be cut off with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import merge
from operator import itemgetter

from harness.checks.evidence import SECOND, Evidence
from harness.workload.ledger import Request

SETTLING = timedelta(seconds=5)  # good service must last so long past `verify`, where the scenario sets no other
SHORTEST_GAP = SECOND  # a zone without a due request for longer than this, and than GAP_REQUESTS, was not observed
GAP_REQUESTS = 20  # in requests at the zone's rate; of random arrivals one gap in 500 million is as long


@dataclass
class Service:
    """The service from a fault on, as its customers saw it. Times are nanoseconds of the monotonic clock."""

    due: int = 0  # requests, of the whole scenario
    due_after: int = 0  # requests due after the fault
    acknowledged_before: int = 0
    last_bad: int | None = None  # due time of the last bad request that the fault can have touched
    served: int | None = None  # first completion of a request due after `last_bad`, after the fault and after any gap
    good_again: int | None = None  # up to version 3 of the rules: also of one that was due before the fault's effect
    good_at_all: int | None = None  # the same, where nothing was bad
    until: dict[str, int] = field(
        default_factory=dict
    )  # by zone: the last due time whose answer is known, and all before
    widest: int = 0  # the longest stretch after the fault between two requests due of one group
    unanswered: int = 0  # the longest stretch after the fault from one request's due time to an answer to a later one
    gap: tuple[str, int, int] | None = None  # zone, and the longest stretch in which nothing was due there

    def add_good(self, ended: int, *, surely: bool) -> None:
        """An answer; `surely`: its request was due after the fault had taken effect, so it cannot be from before."""
        self.good_again = _first(self.good_again, ended)
        if surely:
            self.served, self.good_at_all = _first(self.served, ended), _first(self.good_at_all, ended)


def _first(known: int | None, moment: int) -> int:
    return moment if known is None else min(known, moment)


def settling(evidence: Evidence) -> int:
    """The settling time of the scenario, in nanoseconds."""
    begin = evidence.first("scenario.begin")
    given = begin.data.get("settling") if begin else None
    return round((SETTLING.total_seconds() if given is None else float(given)) * SECOND)


def service(evidence: Evidence, *, earliest: int, latest: int, matters_until: int, until: int | None = None) -> Service:
    """Read the ledgers of all customers outside, by due time. Gaps that begin after `matters_until` are not looked at.

    With `until`, nothing that was due or answered later counts: something else happened then.
    """
    seen = Service()
    longest = longest_gap(evidence)
    last: dict[str, int] = {}
    answers: tuple[array[int], array[int]] = array("q"), array("q")
    cut: set[str] = set()  # zones whose customers were killed while they waited: from there on little is known
    for zone, request in by_due(evidence):
        _number, due, _sent, ended, outcome = request[:5]
        if until is not None and (due >= until or (ended is not None and ended >= until)):
            continue
        seen.due += 1
        before = last.get(zone, earliest)
        if due - before > longest and earliest < due and before < matters_until:
            seen.served = seen.good_again = seen.good_at_all = None
            if seen.gap is None or due - before > seen.gap[2] - seen.gap[1]:
                seen.gap = (zone, before, due)
        last[zone] = due
        if due > earliest:
            seen.widest = max(seen.widest, due - before)
        seen.due_after += due >= earliest
        if ended is None:
            cut.add(zone)
            continue
        if zone not in cut:
            seen.until[zone] = due
        if outcome == "acknowledged":
            if due < earliest:
                seen.acknowledged_before += 1
                continue
            answers[0].append(due)
            answers[1].append(ended)
            seen.add_good(ended, surely=due >= latest)
        elif due >= earliest or ended >= earliest:
            seen.last_bad, seen.served, seen.good_again = due, None, None
    seen.unanswered = unanswered(*answers, since=earliest)
    return seen


def unanswered(dues: Sequence[int], ends: Sequence[int], *, since: int) -> int:
    """The longest stretch from one request's due time to the first answer to any later one, in nanoseconds.

    `dues` and `ends` are of the requests that were answered, in order of due time. Service that was gone between
    `since` and their last answer was gone for no longer, whether it refused what came or let it wait: whoever asked
    after it had gone was answered after it was back.
    """
    longest, first = 0, None
    for due, ended in zip(reversed(dues), reversed(ends), strict=True):
        if first is not None:
            longest = max(longest, first - due)
        first = ended if first is None else min(first, ended)
    return longest if first is None else max(longest, first - since)


def by_due(evidence: Evidence) -> Iterator[tuple[str, Request]]:
    """Every request of the customers outside, with its zone, in order of due time."""
    streams = [_of(evidence, zone) for zone in evidence.outside]
    for _, zone, request in merge(*streams, key=itemgetter(0)):
        yield zone, request


def _of(evidence: Evidence, zone: str) -> Iterator[tuple[int, str, Request]]:
    for request in evidence.requests(zone):
        yield request[1], zone, request


def longest_gap(evidence: Evidence) -> int:
    """How long a zone may be without a due request and still count as observed."""
    begin = evidence.last("workload.begin")
    rate = float(begin.data.get("rate") or 0) if begin else 0.0
    zones = max(1, len(evidence.outside))
    return max(SHORTEST_GAP, round(GAP_REQUESTS * zones / rate * SECOND) if rate > 0 else 0)
