"""`drdrill list`: the drills, their scenarios and what they exercise."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import click

from harness.cli import options, scenario_table
from harness.errors import Refused
from harness.features import catalog
from harness.features.declared import Declaration, holding
from harness.plan import Plan
from harness.project import Project
from harness.stacks.needs import Lack, Lacking, Offer
from harness.system import clock


@click.command("list")
@click.option(
    "--stack",
    "stacks",
    multiple=True,
    metavar="KIND",
    help="Also what a kind of stack lacks for each: local, docker, FILE.yaml (a platform that somebody else made, as "
    "that file describes it), or the project's own. Several with --markdown.",
)
@options.level
@click.option("--markdown", is_flag=True, help="The table of docs/scenarios.md: which scenario runs on which stack.")
@options.as_json
@options.project
def list_drills(*, project: Project, stacks: tuple[str, ...], level: str | None, markdown: bool, as_json: bool) -> None:
    """Show the drills of the plan's calendar, with their scenarios."""
    if markdown and (level or as_json):
        raise Refused("--markdown is a table of what kinds of stacks have", hint="leave --sandbox and --json out")
    if markdown:
        click.echo(scenario_table.markdown(project, stacks))
        return
    if len(stacks) > 1:
        raise Refused(f"{len(stacks)} stacks are named", hint="name one, or have the table of all: --markdown")
    stack = "".join(stacks)
    if level and not stack:
        raise Refused("--sandbox is of a stack", hint="name the kind, too: --stack local")
    offer = options.offer_of(project.kind(stack), level) if stack else None
    the_plan = project.load_plan()
    calendar = the_plan.calendar
    built = {drill.name: drill for drill in project.drills()}
    if as_json:
        drills = [
            {
                "drill": duty.drill,
                "title": duty.title,
                "cadence": duty.cadence,
                "demand": duty.demand,
                "built": duty.drill in built,
                "not_built": duty.not_built,
                "ours": duty.ours,
                "counts": {"environment": duty.at_least, "restored_bytes": duty.restored_at_least or None},
                "scenarios": [
                    _as_json(scenario, _lacking(project, scenario, offer), _declared(project, scenario))
                    for scenario in (built[duty.drill].scenarios if duty.drill in built else ())
                ],
            }
            for duty in calendar
        ]
        click.echo(json.dumps(drills, indent=1))
        return
    options.say_which(project)
    lacking = Lacking(offer.kind if offer else "")
    for duty in calendar:
        day = f", {duty.day[0]} {duty.day[1]}" if duty.day else ""
        click.echo(f"{duty.drill}  ({duty.cadence}{day}; {duty.demand})")
        if duty.ours:
            click.echo(f"    ours: {duty.ours}")
        if duty.drill not in built:
            click.echo(f"    no drill: {duty.not_built}")
            continue
        for scenario in built[duty.drill].scenarios:
            click.echo(f"    {scenario.title}")
            for line in lacking.line(_lacking(project, scenario, offer) or ()):
                click.echo(f"        {line}")
            for each in _declared(project, scenario):
                click.echo(f"        {declared_in_words(each, the_plan)}")
    for line in lacking.end():
        click.echo(line)


def _lacking(project: Project, scenario: catalog.Scenario, offer: Offer | None) -> list[Lack] | None:
    """None where no kind of stack was named."""
    return project.lacking(scenario, offer) if offer else None


def _declared(project: Project, scenario: catalog.Scenario) -> list[Declaration]:
    return [each for each in project.declared if each.scenario == scenario.name]


def declared_in_words(declared: Declaration, plan: Plan) -> str:
    """Who has declared that it cannot be run, and where; and whether that has ended."""
    where = f" on {declared.environment}" if declared.environment else ""
    from reports.words import clean  # noqa: PLC0415  (most lists have no such line, and need no reports)

    return clean(f"cannot be run{where}: {declared}{'' if declared.holds(_today(plan)) else ' (ended)'}")


def declared_now(project: Project, plan: Plan, environment: str, scenario: catalog.Scenario) -> str:
    """Who has declared, for now, that it cannot be run on this class of environment; empty where nobody has."""
    found = holding(project.declared, scenario=scenario.name, environment=environment, day=_today(plan))
    from reports.words import clean  # noqa: PLC0415  (as above)

    return clean(str(found)) if found else ""


def _today(plan: Plan) -> date:
    return clock.now().utc.astimezone(plan.time_zone).date()


def _as_json(scenario: catalog.Scenario, lacking: list[Lack] | None, declared: list[Declaration]) -> dict[str, Any]:
    lacks = {} if lacking is None else {"not_exercised": [lack._asdict() for lack in lacking]}
    return {
        "name": scenario.name,
        "title": scenario.title,
        "tags": scenario.tags,
        "sentences": [str(sentence) for sentence in scenario.sentences],
        "unknown": [],  # for who reads it: a sentence that no step is written for is refused now
        "cannot_run": [
            {"environment": each.environment or None, "who": each.who, "why": each.why, "until": str(each.until)}
            for each in declared
        ],
        **lacks,
    }
