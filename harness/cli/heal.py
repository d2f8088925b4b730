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
@click.option(
    "--on",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Heal the stack that stands there of what runs, whose packs are sealed, have left hurt on it.",
)
@evidence
@as_json
@click.pass_context
def heal(context: click.Context, *, on: Path | None, evidence: Path, as_json: bool) -> None:
    """Heal and seal every run that was killed; ask one that is alive to stop first. Harmless when repeated.

    Exit codes: 0 all is healed and sealed; 2 something is left hurt on a stack that stands, or a journal is damaged, so
    that there is no pack of it.
    """
    if on is not None:
        context.exit(_heal_stack(on, as_json=as_json))
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
                        "unhealed": one.unhealed,
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
    context.exit(max((one.exit for one in healed), default=Exit.MET))


def _heal_stack(on: Path, *, as_json: bool) -> Exit:
    stack = fetch("harness.stacks.brought_up:find")(on)
    healings = fetch("harness.safety.left_hurt:heal_stack")(stack)
    if as_json:
        click.echo(json.dumps([{"fault": left.fault, **healing.facts()} for left, healing in healings], indent=1))
    else:
        for left, healing in healings:
            click.echo(f"{left.fault}: {'healed' if healing.ok else 'NOT healed'}: {healing.seen}")
        if not healings:
            click.echo(f"nothing to heal on {stack.folder}")
    if all(healing.ok for _, healing in healings):
        return Exit.MET
    seen = "; ".join(healing.seen for _, healing in healings if not healing.ok)
    command = fetch("harness.safety.undo:command")(stack.folder, seen)
    click.echo(f"HINT: {fetch('harness.safety.undo:what_to_do')(command, seen)}", err=True)
    return Exit.UNKNOWN
