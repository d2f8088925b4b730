"""`drdrill run due`: which drills the calendar asks for now, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli import month as months
from harness.cli import options
from harness.errors import Refused
from harness.project import Project
from harness.schedule import least, standing
from harness.schedule.standing import Standing
from harness.stacks import brought_up
from reports.calendar import text as calendar_text

DUE = "due"


def due_now(project: Project, evidence: Path, *, on: str, quiet: bool) -> list[str]:
    """The names of the drills that are due or late on this class of environment, and not waived; says why.

    What was run whole there in the period is done there, also where the duty wants more: it says so, too, and what is
    next where nothing is due.
    """
    month = months.look(project, evidence)
    here = month.on(on)
    due = standing.due(here)
    if not quiet:
        options.say_which(project)
        for each in due:
            click.echo(calendar_text.due_because(each, month.today, on=on))
        if not due:
            click.echo(calendar_text.nothing_due(here, on=on))
        for each in _done_here(month, here):
            click.echo(calendar_text.done_here(each))
    return [each.duty.drill for each in due]


def nothing_json(project: Project, evidence: Path, *, on: str) -> str:
    """That nothing was run, for a machine."""
    month = months.look(project, evidence)
    here = month.on(on)
    coming = {each.duty.drill: str(calendar_text.upcoming(each)) for each in here if each.built}
    still = {each.duty.drill: least.for_a_machine(each.duty) for each in _done_here(month, here)}
    told: dict[str, object] = {"pack": None, "environment": on, "due": [], "next": coming}
    return json.dumps({**told, "done_here_and_duty_wants": still}, indent=1)


def environment_of(project: Project, stack: str, on: Path | None) -> str:
    """The class of environment that a run would be on. Errors: `Refused` where there is no such stack."""
    return str(brought_up.find(on).said.get("environment")) if on else project.kind(stack).environment


def _done_here(month: months.Month, here: Sequence[Standing]) -> list[Standing]:
    """Those of which nothing is to be done here, and whose duty is open all the same."""
    nothing = {each.duty.drill for each in here if each.built and not each.open}
    return [each for each in standing.due(month.standings) if each.duty.drill in nothing]


def must_make_sense(name: str, *, otherwise: str, only: str, sabotage: str, rehearsal: bool) -> None:
    """Errors: `Refused` where `due` is asked for in a way that could never do a duty."""
    if name != DUE and otherwise:
        raise Refused("--or says what to run when nothing is due", hint=f"drdrill run due --or {name}")
    if name == DUE and otherwise == DUE:
        raise Refused("--or due says nothing new", hint="name a cadence or a drill: drdrill run due --or monthly")
    if name == DUE and (only or sabotage or rehearsal):
        given = "--only" if only else "--sabotage" if sabotage else "--rehearsal"
        raise Refused(
            f"a run with {given} does no duty of the calendar",
            hint="`drdrill run due` runs drills whole and as they are; to run one in another way, name it: "
            "`drdrill run NAME`, or `make drill DRILL=NAME`",
        )
