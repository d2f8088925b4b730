"""When a duty of the calendar falls: its periods, the date of each, and the dates after it. Pure: no clock, no zone.

A date here is a day in the plan's time zone. A monthly duty falls on its weekday of the month. A quarterly one is due
by the last day of each month that the plan names, an annual one by the last day of the year: the plan gives no day for
either, so these are assumptions, written down in docs/calendar.md.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise

from harness.plan import Duty
from harness.plan.shape import ORDINALS, WEEKDAYS

DECEMBER = 12
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """The time for which a duty is owed once.

    `first`: the first day on which a run counts for it; `due`: from this day on it is asked for; `last`: the day by
    which it has to be done; `until`: the `last` of the period after it, the day from which it is missed for good.
    """

    drill: str
    first: date
    due: date
    last: date
    until: date

    @property
    def name(self) -> str:
        """`2026-11`: the month in which it has to be done."""
        return f"{self.last:%Y-%m}"


def weekday_in(year: int, month: int, day: tuple[str, str]) -> date:
    """The day of a month that `("first", "Monday")` means."""
    ordinal, name = day
    weekday = WEEKDAYS.index(name)
    if ordinal == "last":
        last = _last_of(year, month)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * ORDINALS.index(ordinal))


def periods(duty: Duty, *, since: date) -> Iterator[Period]:
    """Without end, from the period whose time to be done has `since` in it, or else the first after that day."""
    bare = _bare(duty, since.year - 1)
    for (first, due, last), (_, _, until) in pairwise(bare):
        if last >= since or (last.year, last.month) == (since.year, since.month):
            yield Period(duty.drill, first, due, last, until)


def following(duty: Duty, after: date) -> Period:
    """The first period whose last day is later than `after`."""
    return next(period for period in periods(duty, since=after) if period.last > after)


def dates(duty: Duty, *, since: date, count: int) -> list[date]:
    """The next dates of a duty, that of `since` itself included."""
    return list(islice((period.last for period in periods(duty, since=since) if period.last >= since), count))


def _bare(duty: Duty, year: int) -> Iterator[tuple[date, date, date]]:
    """First, due and last day of each period, from the beginning of a year on."""
    months = sorted(duty.months) or ([DECEMBER] if duty.cadence == "annual" else list(range(1, DECEMBER + 1)))
    before = _last_of(year - 1, months[-1])
    while year < date.max.year:
        for month in months:
            begins = date(year, month, 1)
            if duty.day:
                last = weekday_in(year, month, duty.day)
                yield begins, last, last
            else:
                last = _last_of(year, month)
                yield before + A_DAY, begins, last
                before = last
        year += 1


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
