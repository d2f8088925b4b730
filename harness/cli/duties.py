"""`drdrill calendar`, `drdrill gate` and `drdrill history`: what is due, what was done, and what that shows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from drills import FEATURES
from harness import catalog, clock
from harness.cli import month as months
from harness.cli import options
from harness.cli.output import older, put
from harness.cli.screen import EXITS
from harness.duties import gate as gates
from harness.duties import ics, slower
from harness.errors import Refused
from reports import calendar_text, gate_junit, history_page, history_text
from reports import history as histories


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
@click.pass_context
def calendar(
    context: click.Context, *, evidence: Path, key: str | None, today: date | None, ics_file: Path | None, as_json: bool
) -> None:
    """Show what the plan's calendar demands: next dates, last results, what is late, missed or waived.

    Nothing is judged: the exit code is 0 whatever is overdue; `drdrill gate` is for that.
    """
    options.must_be_there(context, evidence)
    month = months.look(evidence, key=key, today=today)
    if ics_file:
        written = ics.calendar(month.plan, now=clock.now().utc, older=older(ics_file))
        _write(ics_file, written, evidence)
    shown = (month.plan, month.standings, month.folder, month.today)
    if as_json:
        click.echo(json.dumps(calendar_text.calendar_json(*shown), indent=1, ensure_ascii=False))
    else:
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
@click.pass_context
def gate(
    context: click.Context, *, evidence: Path, key: str | None, today: date | None, junit: Path | None, as_json: bool
) -> None:
    """Open for a CI only when no drill is overdue, the latest of each met its objectives, and none became slower.

    Exit code 1: a drill is overdue, missed an objective or became slower. 2: the latest is UNKNOWN, or nothing was run.
    """
    options.must_be_there(context, evidence)
    month = months.look(evidence, key=key, today=today)
    now = {(drill.name, scenario.name) for drill in catalog.announced(FEATURES) for scenario in drill.scenarios}
    found = gates.checks(
        month.folder,
        month.standings,
        slower.comparisons(month.folder.runs),
        scenarios=now,
        today=month.today,
    )
    if junit:
        _write(junit, gate_junit.xml(found, today=month.today), evidence)
    if as_json:
        click.echo(json.dumps(calendar_text.gate_json(found, month.folder, month.today), indent=1, ensure_ascii=False))
    else:
        click.echo(calendar_text.gate(found), nl=False)
    context.exit(EXITS[gates.outcome(found)])


@click.command()
@options.evidence
@months.key
@months.today
@click.option(
    "--output",
    metavar="FILE.html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as one page with pictures, too.",
)
@options.as_json
@click.pass_context
def history(
    context: click.Context, *, evidence: Path, key: str | None, today: date | None, output: Path | None, as_json: bool
) -> None:
    """List every sealed run in order, what is missing or was missed, and the trend of each scenario.

    Nothing is judged: the exit code is 0 whatever the figures are.
    """
    options.must_be_there(context, evidence)
    month = months.look(evidence, key=key, today=today)
    told = histories.tell(month.plan, month.folder, month.standings, month.today)
    if output:
        _write(output, history_page.html(told).encode(), evidence)
    click.echo(histories.as_json(told) if as_json else history_text.lines(told), nl=False)
    if output:
        click.echo(f"The page: {output}", err=as_json)


def _write(path: Path, content: bytes, evidence: Path) -> None:
    """Errors: `Refused` where it would lie inside a pack, its folder is not there, or it cannot be written."""
    home, packs = path.resolve().parent, evidence.resolve()
    if home.is_relative_to(packs) and home != packs:
        raise Refused(f"{path} lies inside the evidence", hint="a sealed pack is not written to; choose another file")
    if not path.parent.is_dir():
        raise Refused(f"{path}: there is no folder {path.parent}", hint="make the folder, or choose another file")
    put(path, content)
