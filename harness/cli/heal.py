"""`drdrill heal`: undo what a killed run left hurt, remove what it left behind, seal its pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import as_json, evidence, must_be_there
from harness.errors import DrillError, Exit
from harness.evidence import receipts
from harness.safety.running import unfinished
from harness.system.later import fetch

if TYPE_CHECKING:
    from harness.safety.heal import Healed


@click.command()
@evidence
@as_json
@click.pass_context
def heal(context: click.Context, *, evidence: Path, as_json: bool) -> None:
    """Heal and seal every run that was killed; ask one that is alive to stop first. Harmless when repeated.

    Exit codes: 0 all is healed and sealed; 2 all is healed, and a journal is damaged, so that there is no pack of it.
    """
    must_be_there(context, evidence)
    healed: list[Healed] = []
    wrong: list[DrillError] = []
    for folder in unfinished(evidence):
        try:
            healed.append(fetch("harness.cli.with_reports:heal_run")(folder, by="drdrill heal"))
        except DrillError as error:  # told at the end: first all the others are healed
            wrong.append(error)
    late = receipts.complete(evidence)  # of runs that were killed just after they were sealed
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "run": one.run,
                        "ended": one.ended,
                        "faults": one.faults,
                        "pack": str(one.pack) if one.pack else None,
                        "damaged": one.damaged,
                        "receipt": one.receipt,
                    }
                    for one in healed
                ],
                indent=1,
            )
        )
    else:
        for one in healed:
            click.echo(one.words())
            if one.receipt:
                click.echo(f"receipt:  {one.receipt}")
        for receipt in late:
            click.echo(f"receipt:  {receipt.line}")
        if not healed and not late and not wrong:
            click.echo(f"nothing to heal in {evidence}")
    for other in wrong[1:]:
        click.echo(f"error: {other}", err=True)
    if wrong:
        raise wrong[0]
    if any(one.damaged for one in healed):
        context.exit(Exit.UNKNOWN)
