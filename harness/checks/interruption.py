"""An interruption that was planned, as customers saw it: when they were without service, and how often.

A request is bad as everywhere: it ended otherwise than acknowledged. Bad requests whose due times lie less than a
second apart (with few customers: than 20 of their requests take) are one stretch, until the first good answer to a
request due after them. Service was gone in it where its first and its last bad request were due more than a second
apart: a single request that failed took nobody's service away, and is counted apart. Stretches between which customers
were not served for as long as good service must last anywhere (`settling`) are one interruption.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.checks.evidence import Evidence, seconds
from harness.checks.service import SHORTEST_GAP, longest_gap, settling
from harness.workload.ledger import Request


@dataclass
class Interruption:
    """In nanoseconds of the monotonic clock. `over`: None where customers were not served again."""

    good: int  # the due time of the last good request before it, of the first bad one where there was none
    first: int  # due times of the first bad request, and of the last
    last: int
    over: int | None = None  # the first good answer to a request that was due after `last`

    def most(self, end: int) -> float:
        """Seconds without service, at most; `end`: the last due time that is known of."""
        return seconds((end if self.over is None else self.over) - self.good)


@dataclass
class Interrupted:
    """One group of customers. `end`: its last due time whose answer is known."""

    group: str
    found: list[Interruption] = field(default_factory=list)
    apart: int = 0  # bad requests that belong to no interruption
    end: int = 0
    due: int = 0  # requests

    @property
    def served(self) -> bool:
        """Whether it was at the end."""
        return all(each.over is not None for each in self.found)

    def words(self) -> str:
        """`5.080 s at most`, `2 times: 5.080 s and 10.112 s at most`; with what failed besides."""
        lengths = " and ".join(f"{each.most(self.end):.3f} s" for each in self.found)
        often = f"{len(self.found)} times: " if len(self.found) > 1 else ""
        said = f"{often}{lengths} at most" if self.found else "never"
        said += "" if self.served else ", and not served at the end"
        return said + (f"; {self.apart} requests more were not good" if self.apart else "")


def interrupted(evidence: Evidence, group: str, *, since: int, until: int) -> Interrupted:
    """Of one group, from one moment to another: requests that were due, or ended, in between."""
    said = Interrupted(group)
    stretches: list[tuple[Interruption, int]] = []
    good, apart = None, longest_gap(evidence)  # `good`: the due time of the last good request
    for request in evidence.requests(group):  # in order of due time
        if request.ended is None:
            break  # its customer was killed: from there on little is known
        if request.due > until:
            break
        said.end = request.due
        said.due += request.due >= since
        if request.outcome == "acknowledged":
            good = request.due
            _served(stretches, request)
        elif request.due >= since or request.ended >= since:
            if stretches and request.due - stretches[-1][0].last < apart:
                stretch, many = stretches[-1]
                stretch.last, stretch.over = request.due, None
                stretches[-1] = stretch, many + 1
            else:
                due = request.due
                stretches.append((Interruption(min(max(since, due if good is None else good), due), due, due), 1))
    _join(said, stretches, settling(evidence))
    return said


def _served(stretches: list[tuple[Interruption, int]], request: Request) -> None:
    """A good answer ends the last stretch; of several the first that came in."""
    if stretches and request.ended is not None:
        stretch, _ = stretches[-1]
        stretch.over = request.ended if stretch.over is None else min(stretch.over, request.ended)


def _join(said: Interrupted, stretches: list[tuple[Interruption, int]], apart: int) -> None:
    """Those in which service was gone, the ones that lie close together as one."""
    for stretch, many in stretches:
        if stretch.last - stretch.first <= SHORTEST_GAP:
            said.apart += many
        elif said.found and (said.found[-1].over is None or stretch.first - said.found[-1].over < apart):
            said.found[-1].last, said.found[-1].over = stretch.last, stretch.over
        else:
            said.found.append(stretch)
