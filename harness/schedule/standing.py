"""Where each duty of the calendar stands on a day: done, due, late, missed, waived. Pure.

The rule, which docs/calendar.md tells an auditor: a run counts from the first day of its month (quarter, year) on, also
before its Monday, whatever its verdict is. Made up for late, it counts until the next date of the same duty comes; from
that day on the earlier one is missed for good. A run counts once: for the oldest period that is still open. One that
was further from customers than the duty wants, or restored less, does none (`harness.schedule.least`).

Whoever drills on such a stack asks with `on` where each drill stands there: every whole run on that class of
environment counts then, and no other does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import takewhile
from zoneinfo import ZoneInfo

from harness.features.declared import Declaration
from harness.plan import Duty, Plan
from harness.schedule import least
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
    since: date = date.min  # the first day that the drill is known of

    @property
    def days_late(self) -> int:
        """How many days after its date it was made up for; 0 where it was in time, or not done, and of the day on
        which the drill is first known: before that nobody owed it."""
        if self.day is None or self.day == self.since:
            return 0
        return max((self.day - self.period.last).days, 0)

    @property
    def overdue(self) -> bool:
        """Its date has passed without a run, and nobody has waived it for now."""
        return self.state in (State.LATE, State.MISSED) and not self.waived


@dataclass(frozen=True)
class Standing:
    """A duty on one day. `owed`: from the first period of the record to the one whose turn it is; empty: not built.

    `lesser`: the latest whole run that does no duty for where it was or how little it restored, where it is newer than
    `latest`. `declared`: what is declared of the drill today, ended or not.
    """

    duty: Duty
    owed: tuple[Owed, ...]
    latest: Past | None  # the latest run that counts
    upcoming: Period  # the next date, later than the day itself
    lesser: Past | None = None
    declared: tuple[Declaration, ...] = ()

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


def standings(
    plan: Plan,
    runs: Sequence[Past],
    waivers: Sequence[Waiver],
    today: date,
    *,
    declared: Sequence[Declaration] = (),
    on: str = "",
) -> tuple[Standing, ...]:
    """Every duty of the plan, in its order. Runs after `today` are not looked at.

    `on`: not the duties, but what was done whole on this class of environment, and is still to be done there.
    """
    seen = _Seen(
        [run for run in runs if (day := run.day(plan.time_zone)) and day <= today],
        waivers,
        today,
        plan.time_zone,
        declared,
        on,
    )
    return tuple(_standing(duty, seen) for duty in plan.calendar)


def due(found: Iterable[Standing]) -> list[Standing]:
    """The duties that a run of today would be for."""
    return [standing for standing in found if standing.built and standing.open]


@dataclass(frozen=True)
class _Seen:
    """What is looked at for every duty alike."""

    runs: Sequence[Past]
    waivers: Sequence[Waiver]
    today: date
    zone: ZoneInfo
    declared: Sequence[Declaration]
    on: str

    def counts(self, run: Past, duty: Duty) -> bool:
        here = run.likeness.environment == self.on
        return here and run.counts_for(duty.drill) if self.on else least.counts(run, duty)


def _standing(duty: Duty, seen: _Seen) -> Standing:
    upcoming = following(duty, seen.today)
    if duty.not_built:
        return Standing(duty, (), None, upcoming)
    days = {run.name: day for run in seen.runs if (day := run.day(seen.zone))}
    known = [days[run.name] for run in seen.runs if not run.problem and duty.drill in run.known]
    ordered = in_order(seen.runs)
    counting = sorted((run for run in ordered if seen.counts(run, duty)), key=lambda run: days[run.name])
    since = min(known, default=seen.today)
    record = list(takewhile(lambda period: period.first <= seen.today, periods(duty, since=since)))
    done = _allot(record, [(days[run.name], run) for run in counting])
    owed = tuple(
        replace(_owed(each, done.get(each.name), _waiver(each, seen.waivers), seen.today), since=since)
        for each in record
    )
    latest = counting[-1] if counting else None
    lesser = [run for run in ordered if not seen.on and least.falls_short(run, duty)]
    newer = [run for run in lesser if latest is None or run.is_after(latest)]
    declared = tuple(each for each in seen.declared if each.drill == duty.drill)
    return Standing(duty, owed, latest, upcoming, newer[-1] if newer else None, declared)


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
