"""`drdrill watch`: a running drill, live, from another shell. It controls nothing."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from harness.cli import options
from harness.cli.live import Follower, whereabouts
from harness.cli.screen import Screen, closing, exit_of, must_not_be_aborted
from harness.errors import Exit, NotReady
from harness.evidence.run_folder import UNFINISHED, option
from harness.safety import running
from harness.system import clock
from harness.system.wait import poll

LOOKS = timedelta(milliseconds=200)
BETWEEN = timedelta(seconds=10)  # a run that was killed is healed by its guardian within this; else nobody does


@click.command()
@click.option("--wait", is_flag=True, help="Where nothing runs, wait for the next drill to begin.")
@options.evidence
@options.as_json
@click.pass_context
def watch(context: click.Context, *, wait: bool, evidence: Path, as_json: bool) -> None:
    """Show the running drill of this folder, from its beginning to the verdict; Ctrl-C leaves it alone.

    With --json: the lines of its journal, as they come. Exit codes: that of the drill's verdict; 2 where nothing runs,
    or where you leave before its end.
    """
    try:
        folder = _find(evidence, wait=wait)
        if folder is None:
            click.echo(f"nothing is running in {evidence.resolve()}; --wait waits for the next drill", err=True)
            for dead in running.under(evidence):
                run = dead.name.removesuffix(UNFINISHED)
                heal = f"`drdrill heal{option(dead.parent)}`"
                click.echo(f"run {run} was killed and is not sealed: {heal} heals and seals it", err=True)
            context.exit(Exit.UNKNOWN)
        _follow(folder, as_json=as_json)
    except KeyboardInterrupt:
        click.echo("\nyou watch no more; the drill goes on. `drdrill stop` ends it, `drdrill watch` shows it", err=True)
        context.exit(Exit.UNKNOWN)
    pack = whereabouts(folder)
    if not pack.is_dir():
        raise NotReady("the run ended before anything had begun", hint="the shell in which it was started says why")
    if as_json:
        click.echo(f"evidence: {pack}", err=True)
    else:
        closing(pack)
    must_not_be_aborted(pack)
    context.exit(exit_of(pack))


def _find(evidence: Path, *, wait: bool) -> Path | None:
    if not wait:
        return running.newest(evidence)

    def begun() -> Path | None:
        return running.newest(evidence) if evidence.is_dir() else None

    if (found := begun()) is not None:
        return found
    click.echo(f"waiting for a drill to begin in {evidence.resolve()}", err=True)
    return poll(begun, within=None, every=LOOKS)


def _follow(folder: Path, *, as_json: bool) -> None:
    """Until it is sealed. Errors: `NotReady` where it was killed and nobody heals it."""
    follower, screen = Follower(folder), Screen(folder, status=sys.stdout.isatty())
    held = clock.mono()

    def over() -> bool:
        nonlocal held
        there = folder.is_dir()  # asked before the last look, so that its last lines are shown
        if as_json:
            for text in follower.texts():
                click.echo(text)
        else:
            screen.look()
            screen.show_status()
        if running.alive(folder):
            held = clock.mono()
        elif there and clock.since(held) > BETWEEN:
            screen.clear()
            heal = f"`drdrill heal{option(folder.parent)}`"
            raise NotReady(f"run {folder.name} was killed, and nobody heals it", hint=f"{heal} heals and seals it")
        return not there

    poll(over, within=None, every=LOOKS)
    screen.clear()
