"""`drdrill history`: what was done, run by run, and what that shows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from harness.cli import month as months
from harness.cli import options
from harness.cli.output import put_outside
from harness.project import Project
from reports.past import history as histories
from reports.past import page as history_page
from reports.past import text as history_text


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
@options.project
@click.pass_context
def history(
    context: click.Context,
    *,
    project: Project,
    evidence: Path,
    key: str | None,
    today: date | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """List every sealed run in order, what is missing or was missed, and the trend of each scenario.

    Nothing is judged: the exit code is 0 whatever the figures are.
    """
    options.must_be_there(context, evidence)
    month = months.look(project, evidence, key=key, today=today)
    told = histories.tell(month.plan, month.folder, month.standings, month.today)
    if output:
        put_outside(output, history_page.html(told).encode(), evidence)
    if not as_json:
        options.say_which(project)
    click.echo(histories.as_json(told) if as_json else history_text.lines(told), nl=False)
    if output:
        click.echo(f"The page: {output}", err=as_json)
