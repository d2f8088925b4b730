"""`drdrill stop` and `drdrill resume`: end what runs, let nothing new begin, and lift that again."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import click

from harness.cli import options
from harness.cli.screen import Screen
from harness.cli.with_reports import heal_run
from harness.errors import Exit, Refused
from harness.evidence.run_folder import option
from harness.safety import block, running, stopping
from harness.safety.heal import STOP_LIMIT, Healed
from harness.system import wait
from harness.system.operator import operator_name

LOOKS = timedelta(milliseconds=200)
UNSAID = "drdrill stop, no reason given"


@click.command()
@options.why
@options.person("Who stops it, as claimed; otherwise the login name.")
@options.evidence
@click.pass_context
def stop(context: click.Context, *, why: str, person: str, evidence: Path) -> None:
    """End the running drill, heal, seal, and block new runs in this folder until `drdrill resume`.

    Exit codes: 0 nothing runs in the folder any more, and nothing can begin; 2 that is so, and something is left hurt
    on a stack that stands; 3 refused, or it does not end.
    """
    running.under(evidence)  # refused where there is no such folder
    who, why = person or operator_name(), why or UNSAID
    wrong = _block(evidence, who, why)
    folders = running.under(evidence)
    for folder in folders:
        stopping.ask(folder, who=who, why=why)
    unhealed: list[str] = []
    try:
        for folder in folders:
            _say(healed := _see_out(folder))
            unhealed += healed.unhealed
    except KeyboardInterrupt:
        click.echo("\nit was asked to stop: it heals and seals by itself, and new runs stay blocked", err=True)
        context.exit(Exit.UNKNOWN)
    if not folders:
        click.echo(f"nothing is running in {evidence.resolve()}")
    if wrong is not None:
        raise Refused(
            f"new runs are NOT blocked: {evidence / block.FILE}: {wrong.strerror}",
            hint=f"mend that, then `drdrill stop{option(evidence)}` again",
        )
    if unhealed:
        click.echo(f"NOT healed: {'; '.join(unhealed)}", err=True)
        click.echo("HINT: the folder of that stack says in `unhealed/` what to do", err=True)
        context.exit(Exit.UNKNOWN)


def _block(evidence: Path, who: str, why: str) -> OSError | None:
    """Before anything else, so that no run slips in. Where it cannot be written, what runs is ended all the same."""
    try:
        ours = block.block(evidence, who=who, why=why)
    except OSError as error:
        return error
    click.echo(f"new runs in {evidence} are blocked until `drdrill resume{option(evidence)}`")
    found = block.blocked(evidence)
    if not ours and found:
        click.echo(f"that was so before, and what was said then stands: {found.words()}")
    return None


def _see_out(folder: Path) -> Healed:
    """Show how it heals and seals. Errors: `Refused` where it does not end in time."""
    screen = Screen(folder, status=sys.stdout.isatty())
    screen.catch_up()
    screen.live.stop()

    def over() -> bool:
        ended = not running.alive(folder)
        screen.look()
        screen.show_status()
        return ended

    wait.poll(over, within=STOP_LIMIT, every=LOOKS)
    screen.clear()
    return heal_run(folder, by="drdrill stop")  # where it was killed, or is so just now


def _say(healed: Healed) -> None:
    if healed.pack is None:
        click.echo(healed.words())
        return
    verdict = json.loads((healed.pack / "findings.json").read_text())["verdict"]
    click.echo(f"run {healed.run}: ended, healed and sealed; verdict {verdict}; evidence: {healed.pack}")
    click.echo(f"receipt:  {healed.receipt}")


@click.command()
@options.evidence
def resume(*, evidence: Path) -> None:
    """Let new runs begin again. Harmless where nothing is blocked.

    Exit codes: 0 new runs may begin; 3 there is no such folder.
    """
    running.under(evidence)
    found = block.lift(evidence)
    if found is None:
        click.echo(f"nothing was blocked in {evidence.resolve()}")
    else:
        click.echo(f"new runs may begin in {evidence}; they were blocked: {found.words()}")
