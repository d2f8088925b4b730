"""`drdrill calendar` and `drdrill gate`: what is due, and what was done of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from harness.cli import month as months
from harness.cli import options
from harness.cli.exits import EXITS
from harness.cli.output import older, put_outside
from harness.features import catalog
from harness.project import Project
from harness.schedule import gate as gates
from harness.schedule import ics, slower
from harness.system import clock
from reports.calendar import gate_junit
from reports.calendar import text as calendar_text


@click.command()
@options.evidence
@months.key
@months.today
@click.option(
    "--ics",
    "ics_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the dates as a calendar file, too: one repeating event a drill.",
)
@options.as_json
@options.project
@click.pass_context
def calendar(
    context: click.Context,
    *,
    project: Project,
    evidence: Path,
    key: str | None,
    today: date | None,
    ics_file: Path | None,
    as_json: bool,
) -> None:
    """Show what the plan's calendar demands: next dates, last results, what is late, missed or waived.

    Nothing is judged: the exit code is 0 whatever is overdue; `drdrill gate` is for that.
    """
    options.must_be_there(context, evidence)
    month = months.look(project, evidence, key=key, today=today)
    if ics_file:
        written = ics.calendar(month.plan, now=clock.now().utc, older=older(ics_file))
        put_outside(ics_file, written, evidence)
    shown = (month.plan, month.standings, month.folder, month.today)
    if as_json:
        click.echo(json.dumps(calendar_text.calendar_json(*shown), indent=1, ensure_ascii=False))
    else:
        options.say_which(project)
        click.echo(calendar_text.calendar(*shown), nl=False)
    if ics_file:
        click.echo(f"The calendar file: {ics_file}", err=as_json)


@click.command()
@options.evidence
@months.key
@months.today
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the checks and their reasons as JUnit XML, too.",
)
@options.as_json
@options.project
@click.pass_context
def gate(
    context: click.Context,
    *,
    project: Project,
    evidence: Path,
    key: str | None,
    today: date | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Open for a CI only when no drill is overdue, the latest of each met its objectives, and none became slower.

    Exit code 1: a drill is overdue, missed an objective or became slower. 2: the latest is UNKNOWN, or nothing was run.
    """
    options.must_be_there(context, evidence)
    month = months.look(project, evidence, key=key, today=today)
    now = {(drill.name, scenario.name) for drill in catalog.announced(project.features) for scenario in drill.scenarios}
    found = gates.checks(
        month.folder,
        month.standings,
        slower.comparisons(month.folder.runs),
        scenarios=now,
        today=month.today,
    )
    if junit:
        put_outside(junit, gate_junit.xml(found, today=month.today), evidence)
    if as_json:
        click.echo(json.dumps(calendar_text.gate_json(found, month.folder, month.today), indent=1, ensure_ascii=False))
    else:
        options.say_which(project)
        click.echo(calendar_text.gate(found), nl=False)
    context.exit(EXITS[gates.outcome(found)])
