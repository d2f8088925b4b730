"""`drdrill run due`: which drills the calendar asks for now, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli import month as months
from harness.cli import options
from harness.errors import Refused
from harness.project import Project
from harness.schedule import standing
from reports.calendar import text as calendar_text

DUE = "due"


def due_now(project: Project, evidence: Path, *, quiet: bool) -> list[str]:
    """The names of the drills that are due or late and not waived; says why, and what is next where none is."""
    month = months.look(project, evidence)
    due = standing.due(month.standings)
    if not quiet:
        options.say_which(project)
        for each in due:
            click.echo(calendar_text.due_because(each, month.today))
        if not due:
            click.echo(calendar_text.nothing_due(month.standings))
    return [each.duty.drill for each in due]


def nothing_json(project: Project, evidence: Path) -> str:
    """That nothing was run, for a machine."""
    month = months.look(project, evidence)
    coming = {each.duty.drill: str(calendar_text.upcoming(each)) for each in month.standings if each.built}
    return json.dumps({"pack": None, "due": [], "next": coming}, indent=1)


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
