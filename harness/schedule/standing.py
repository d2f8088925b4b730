"""Where each duty of the calendar stands on a day: done, due, late, missed, waived. Pure.

The rule, which docs/calendar.md tells an auditor: a run counts from the first day of its month (quarter, year) on, also
before its Monday, whatever its verdict is. Made up for late, it counts until the next date of the same duty comes; from
that day on the earlier one is missed for good. A run counts once: for the oldest period that is still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import takewhile
from zoneinfo import ZoneInfo

from harness.plan import Duty, Plan
from harness.schedule.dates import Period, following, periods
from harness.schedule.past import Past, in_order
from harness.schedule.waivers import Waiver


class State(StrEnum):
    WAITING = "not yet due"
    DUE = "due"
    LATE = "late"
    MISSED = "missed"
    DONE = "done"


@dataclass(frozen=True)
class Owed:
    """One period of a duty, and what became of it."""

    period: Period
    state: State
    run: Past | None = None  # that did it
    day: date | None = None  # on which that run began
    waiver: Waiver | None = None
    waived: bool = False  # the waiver has not ended

    @property
    def days_late(self) -> int:
        """How many days after its date it was made up for; 0 where it was in time, or not done."""
        return max((self.day - self.period.last).days, 0) if self.day else 0

    @property
    def overdue(self) -> bool:
        """Its date has passed without a run, and nobody has waived it for now."""
        return self.state in (State.LATE, State.MISSED) and not self.waived


@dataclass(frozen=True)
class Standing:
    """A duty on one day. `owed`: from the first period of the record to the one whose turn it is; empty: not built."""

    duty: Duty
    owed: tuple[Owed, ...]
    latest: Past | None  # the latest run that counts
    upcoming: Period  # the next date, later than the day itself

    @property
    def built(self) -> bool:
        return not self.duty.not_built

    @property
    def open(self) -> tuple[Owed, ...]:
        """What a run of today would be for, oldest first: due or late, and not waived."""
        return tuple(each for each in self.owed if each.state in (State.DUE, State.LATE) and not each.waived)

    @property
    def overdue(self) -> tuple[Owed, ...]:
        """Late or missed. What was missed stays in the history, and is overdue until the duty is done again."""
        done = max((at for at, each in enumerate(self.owed) if each.state is State.DONE), default=-1)
        return tuple(each for each in self.owed[done + 1 :] if each.overdue)

    @property
    def missed(self) -> tuple[Owed, ...]:
        return tuple(each for each in self.owed if each.state is State.MISSED)

    @property
    def waived(self) -> tuple[Owed, ...]:
        """What a waiver covers today."""
        return tuple(each for each in self.owed if each.waived and each.state is not State.DONE)


def standings(plan: Plan, runs: Sequence[Past], waivers: Sequence[Waiver], today: date) -> tuple[Standing, ...]:
    """Every duty of the plan, in its order. Runs after `today` are not looked at."""
    until_today = [run for run in runs if (day := run.day(plan.time_zone)) and day <= today]
    return tuple(_standing(duty, until_today, waivers, today, plan.time_zone) for duty in plan.calendar)


def due(found: Iterable[Standing]) -> list[Standing]:
    """The duties that a run of today would be for."""
    return [standing for standing in found if standing.built and standing.open]


def _standing(duty: Duty, runs: Sequence[Past], waivers: Sequence[Waiver], today: date, zone: ZoneInfo) -> Standing:
    upcoming = following(duty, today)
    if duty.not_built:
        return Standing(duty, (), None, upcoming)
    days = {run.name: day for run in runs if (day := run.day(zone))}
    known = [days[run.name] for run in runs if not run.problem and duty.drill in run.known]
    counting = sorted(
        in_order(run for run in runs if run.counts_for(duty.drill, at_least=duty.at_least)),
        key=lambda run: days[run.name],
    )
    since = min(known, default=today)
    record = list(takewhile(lambda period: period.first <= today, periods(duty, since=since)))
    done = _allot(record, [(days[run.name], run) for run in counting])
    owed = tuple(_owed(period, done.get(period.name), _waiver(period, waivers), today) for period in record)
    return Standing(duty, owed, counting[-1] if counting else None, upcoming)


def _allot(record: Sequence[Period], counting: Iterable[tuple[date, Past]]) -> dict[str, tuple[date, Past]]:
    """Each run to the oldest period that is open on its day; a run too many counts for none."""
    done: dict[str, tuple[date, Past]] = {}
    for day, run in counting:
        for period in record:
            if period.name not in done and period.first <= day < period.until:
                done[period.name] = day, run
                break
    return done


def _owed(period: Period, done: tuple[date, Past] | None, waiver: Waiver | None, today: date) -> Owed:
    waived = waiver is not None and today <= waiver.until
    if done is not None:
        day, run = done
        return Owed(period, State.DONE, run, day, waiver, waived)
    if today < period.due:
        state = State.WAITING
    elif today <= period.last:
        state = State.DUE
    else:
        state = State.LATE if today < period.until else State.MISSED
    return Owed(period, state, waiver=waiver, waived=waived)


def _waiver(period: Period, waivers: Sequence[Waiver]) -> Waiver | None:
    """The waiver of a period: where one was prolonged, the one that lasts longest."""
    ours = [waiver for waiver in waivers if waiver.drill == period.drill and waiver.month == period.name]
    return max(ours, key=lambda waiver: waiver.until, default=None)
