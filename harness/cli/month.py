"""What the calendar demands and the packs show, as the commands of the month need it: read once, on one day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import plan
from harness.evidence import verify as verifier
from harness.features.declared import Declaration
from harness.plan import shape
from harness.project import Project
from harness.schedule import runs, standing, streams, waivers
from harness.schedule.past import Folder
from harness.system import clock

F = TypeVar("F", bound=Callable[..., Any])
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Month:
    """Plan, packs, day and exceptions: everything that these commands look at."""

    plan: plan.Plan
    folder: Folder
    today: date
    waivers: tuple[waivers.Waiver, ...] = ()
    declared: tuple[Declaration, ...] = ()

    @cached_property
    def standings(self) -> tuple[standing.Standing, ...]:
        """Where each duty stands."""
        return self._standings()

    def on(self, environment: str) -> tuple[standing.Standing, ...]:
        """What was done whole on this class of environment, and is still to be done there, duty or not."""
        return self._standings(on=environment)

    def _standings(self, *, on: str = "") -> tuple[standing.Standing, ...]:
        return standing.standings(self.plan, self.folder.runs, self.waivers, self.today, declared=self.declared, on=on)


def look(project: Project, evidence: Path, *, key: str | None = None, today: date | None = None) -> Month:
    """Read plan, exceptions and packs. Errors: `Refused` where one of them cannot be used."""
    the_plan = project.load_plan()
    waived, declared = waivers.load(project.waivers, the_plan, project.features) if project.waivers else ((), ())
    day = today or clock.now().utc.astimezone(the_plan.time_zone).date()
    found = streams.said_of(the_plan, runs.read(evidence, key=key))
    folder = found.until(day, the_plan.time_zone)
    if today is None:  # nobody asked for an earlier day: what is dated later may be a wrong clock, or a run put aside
        folder = replace(folder, notes=(*folder.notes, *found.later(day, the_plan.time_zone)))
    return Month(the_plan, folder, day, waived, declared)


def _day(context: click.Context, option: click.Parameter, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        day = shape.day(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like 2026-11-25", ctx=context, param=option) from None
    if not EARLIEST <= day <= LATEST:
        raise click.BadParameter(f"{day} is not between {EARLIEST} and {LATEST}", ctx=context, param=option)
    return day


def today(function: F) -> F:
    return click.option(
        "--today",
        metavar="YYYY-MM-DD",
        callback=_day,
        help="As it stood on that day, in the plan's time zone; later runs are left out.",
    )(function)


def key(function: F) -> F:
    return click.option("--key", metavar="FILE|FINGERPRINT", help=verifier.KEY_HELP)(function)
