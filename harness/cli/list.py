"""`drdrill list`: the drills, their scenarios and what they exercise."""

from __future__ import annotations

import json
from typing import Any

import click

from drills import FEATURES, PLAN
from drills.steps import load
from harness import plan
from harness.checks.rules import CURRENT
from harness.cli.options import as_json
from harness.features import catalog
from harness.features.soundness import sound_drills


@click.command("list")
@as_json
def list_drills(*, as_json: bool) -> None:
    """Show the drills of the plan's calendar, with their scenarios."""
    the_plan = plan.load(PLAN, features=FEATURES)
    calendar = the_plan.calendar
    found = sound_drills(FEATURES, plan=the_plan, sentences=load(), findings=CURRENT.checks)
    built = {drill.name: drill for drill in found}
    if as_json:
        drills = [
            {
                "drill": duty.drill,
                "title": duty.title,
                "cadence": duty.cadence,
                "demand": duty.demand,
                "built": duty.drill in built,
                "not_built": duty.not_built,
                "scenarios": [
                    _as_json(scenario) for scenario in (built[duty.drill].scenarios if duty.drill in built else ())
                ],
            }
            for duty in calendar
        ]
        click.echo(json.dumps(drills, indent=1))
        return
    for duty in calendar:
        day = f", {duty.day[0]} {duty.day[1]}" if duty.day else ""
        click.echo(f"{duty.drill}  ({duty.cadence}{day}; {duty.demand})")
        if duty.drill not in built:
            click.echo(f"    no drill: {duty.not_built}")
            continue
        for scenario in built[duty.drill].scenarios:
            click.echo(f"    {scenario.title}")


def _as_json(scenario: catalog.Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "tags": scenario.tags,
        "sentences": [str(sentence) for sentence in scenario.sentences],
        "unknown": [],  # for who reads it: a sentence that no step is written for is refused now
    }
