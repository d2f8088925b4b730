"""`drdrill heal`: undo what a killed run left hurt, remove what it left behind, seal its pack."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.options import as_json, evidence, must_be_there
from harness.safety.heal import heal_run, unfinished


@click.command()
@evidence
@as_json
@click.pass_context
def heal(context: click.Context, *, evidence: Path, as_json: bool) -> None:
    """Heal and seal every run that was killed; ask one that is alive to stop first. Harmless when repeated."""
    must_be_there(context, evidence)
    healed = [heal_run(folder, by="drdrill heal") for folder in unfinished(evidence)]
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "run": one.run,
                        "ended": one.ended,
                        "faults": one.faults,
                        "pack": str(one.pack) if one.pack else None,
                    }
                    for one in healed
                ],
                indent=1,
            )
        )
        return
    for one in healed:
        faults = f"faults healed: {', '.join(one.faults)}" if one.faults else "no fault was left"
        click.echo(f"run {one.run}: {one.ended} processes ended, {faults}; {one.pack or 'nothing had begun, no pack'}")
    if not healed:
        click.echo(f"nothing to heal in {evidence}")
