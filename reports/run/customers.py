"""What customers saw, second by second, from the ledgers of a pack.

A request is counted in the second in which it was *due*, not in the one in which its answer came: so a stall shows
where it began, and answered and unanswered requests of one second add up to what was due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import Refused
from harness.evidence import files
from harness.workload import ledger

SECOND = 1_000_000_000  # nanoseconds
LONGEST_RUN = 2 * 24 * 3600  # seconds before or after zero; a stamp beyond is damage, and would need a page per day


@dataclass(frozen=True)
class Seconds:
    """Per second from `first` (seconds after the picture's zero) on: requests answered, not answered, and latencies."""

    first: int
    answered: tuple[int, ...]
    unanswered: tuple[int, ...]
    median: tuple[float | None, ...]  # seconds from due to answer
    slowest: tuple[float | None, ...]  # 99th percentile

    def between(self, begin: float, end: float) -> Seconds | None:
        """Only the seconds from `begin` to `end`; None where there are none."""
        low = max(0, int(begin) - self.first)
        high = max(low, int(end) - self.first)
        kept = slice(low, high)
        if not self.answered[kept]:
            return None
        return replace(
            self,
            first=self.first + low,
            answered=self.answered[kept],
            unanswered=self.unanswered[kept],
            median=self.median[kept],
            slowest=self.slowest[kept],
        )


@dataclass(frozen=True)
class Answered:
    """One group's answers from one history of the database: the first and the last, in seconds after zero."""

    group: str
    inside: bool  # a zone; then it is not counted for service
    history: int
    first: float
    last: float
    many: int


@dataclass(frozen=True)
class Customers:
    """`seconds`, of the customers outside, is None without a request; `totals` are of all groups."""

    seconds: Seconds | None
    totals: ledger.Totals
    answers: tuple[Answered, ...] = ()


def read(ledgers: Iterable[Path], *, zero: int, problems: list[str], inside: Collection[str] = ()) -> Customers:
    """The ledgers of all groups together, on a clock whose zero is the reading `zero` of the monotonic clock.

    A ledger that is damaged counts as far as it can be read, and becomes a problem.
    """
    answers: list[Answered] = []
    good: dict[int, list[float]] = {}
    bad: dict[int, int] = {}
    totals = ledger.Totals()
    for path in ledgers:
        torn = partial(_torn, problems, path.name)
        ends = dict.fromkeys(("acknowledged", "failed", "in_doubt", "not_sent"), 0)
        group, told = path.stem.removeprefix("ledger-"), dict[int, tuple[int, int, int]]()
        try:
            for request in ledger.outcomes(files.lines(path), name=path.name, torn=torn):
                ends[request.outcome] += 1
                if request.history is not None and request.ended is not None:
                    first, last, many = told.get(request.history, (request.ended, request.ended, 0))
                    told[request.history] = min(first, request.ended), max(last, request.ended), many + 1
                if group in inside:
                    continue
                second = (request.due - zero) // SECOND
                if request.outcome == "acknowledged" and request.ended is not None:
                    good.setdefault(second, []).append((request.ended - request.due) / SECOND)
                else:
                    bad[second] = bad.get(second, 0) + 1
        except (Refused, OSError) as error:
            said = error.message if isinstance(error, Refused) else f"{path.name}: {error.strerror}"
            problems.append(f"{said}; this report counts only what comes before")
        answers += [
            Answered(group, group in inside, history, (first - zero) / SECOND, (last - zero) / SECOND, many)
            for history, (first, last, many) in sorted(told.items())
        ]
        due = sum(ends.values())
        totals += ledger.Totals(due=due, sent=due - ends["not_sent"], **ends)
    return Customers(_seconds(good, bad, problems), totals, tuple(answers))


def _torn(problems: list[str], name: str, line: str) -> None:
    problems.append(f"{name}: its last line is torn after {len(line)} characters")


def _seconds(good: dict[int, list[float]], bad: dict[int, int], problems: list[str]) -> Seconds | None:
    far = [second for second in {*good, *bad} if abs(second) > LONGEST_RUN]
    if far:
        problems.append(f"{len(far)} second(s) of the ledgers lie more than two days from the fault and are not drawn")
    for second in far:
        good.pop(second, None)
        bad.pop(second, None)
    if not good and not bad:
        return None
    span = range(min([*good, *bad]), max([*good, *bad]) + 1)
    return Seconds(
        first=span.start,
        answered=tuple(len(good.get(second, ())) for second in span),
        unanswered=tuple(bad.get(second, 0) for second in span),
        median=tuple(_rank(good.get(second, []), 0.5) for second in span),
        slowest=tuple(_rank(good.get(second, []), 0.99) for second in span),
    )


def _rank(values: list[float], share: float) -> float | None:
    """The value below which `share` of them lie (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
