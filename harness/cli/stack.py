"""`drdrill stack`: a stack to explore by hand, with nothing hurt and nothing measured."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from harness.cli import options
from harness.errors import NotInTime, NotReady, Refused
from harness.evidence.run_folder import option
from harness.project import find, nearest
from harness.run.run import new_id
from harness.safety.begin import must_have_room
from harness.stacks import kinds, table
from harness.stacks.docker import image
from harness.stacks.docker.extra import EXTRA
from harness.stacks.local import sandbox
from harness.system import wait
from harness.system.command import LABEL, end_labelled, labelled
from harness.system.environment import for_harness, for_people
from harness.system.recorder import Memory

FOLDERS = "stack-*"
READY = "ready.json"
START_LIMIT = timedelta(minutes=3)


@dataclass(frozen=True)
class Held:
    """A stack that was brought up by hand."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def ready(self) -> dict[str, Any] | None:
        """Its addresses, once it serves."""
        try:
            found: dict[str, Any] = json.loads((self.folder / READY).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return found

    def alive(self) -> bool:
        return bool(labelled(self.name))


@click.group()
def stack() -> None:
    """A stack to explore by hand."""


@stack.command()
@options.stack
@options.level
@options.scale
@options.evidence
@options.as_json
def up(*, stack: str, level: str | None, scale: float, evidence: Path, as_json: bool) -> None:
    """Start a stack and print where everything is."""
    if alive := [one.name for one in _held(evidence) if one.alive()]:
        down = f"`drdrill stack down{option(evidence)}`"
        raise Refused(f"{alive[0]} is up in {evidence}", hint=f"{down} ends it; or use another --evidence")
    held = Held(evidence / f"stack-{new_id()}")
    kind = kinds.named(stack or kinds.USUAL.name)
    words = [sys.executable, "-m", "harness.stacks.daemon", kind.name, str(held.folder.resolve()), str(scale)]
    kind.maker.prepare(lambda said: click.echo(said, err=True))
    inside = kind.maker.way_in(words, level=level)
    _must_be_usable(evidence)
    held.folder.mkdir(parents=True)
    click.echo(f"starting {held.name}, {kind.environment} ...", err=True)
    with (held.folder / "hold.log").open("ab") as log:
        child = subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**for_harness(), LABEL: held.name},
            start_new_session=True,
        )
    try:
        wait.until(
            lambda: held.ready() or child.poll() is not None,
            what="the stack serves",
            within=START_LIMIT,
            recorder=Memory(),
        )
        if held.ready() is None:
            said = (held.folder / "hold.log").read_text(errors="replace").strip().splitlines()
            why = next((line for line in reversed(said) if not line.startswith("HINT:")), "no word")
            raise NotReady(f"the stack did not start: {why}", hint="run `drdrill doctor`")
    except (NotReady, NotInTime, KeyboardInterrupt):
        _remove(held)
        raise
    _show(held, as_json=as_json)


@stack.command()
@options.evidence
@options.as_json
def status(*, evidence: Path, as_json: bool) -> None:
    """Show the stacks that were brought up in a folder."""
    found = _held(evidence)
    if as_json:
        click.echo(
            json.dumps([{"stack": one.name, "alive": one.alive(), **(one.ready() or {})} for one in found], indent=1)
        )
        return
    for one in found:
        if one.alive():
            _show(one, as_json=False)
        else:
            click.echo(f"{one.name}: dead; `drdrill stack down{option(evidence)}` removes what is left")
    if not found:
        click.echo("no stack is up; `drdrill stack up` starts one")


@stack.command()
@options.evidence
def down(*, evidence: Path) -> None:
    """End and remove every stack that was brought up in a folder. Harmless when repeated."""
    for one in _held(evidence):
        ended = _remove(one)
        click.echo(f"{one.name}: {ended} processes ended, its folder is gone")


@stack.command("image")
def make_image() -> None:
    """Make the image of the container stack, once; harmless when repeated."""
    EXTRA.must_be_installed()
    click.echo(f"the image is there: {image.make(click.echo)}")


@stack.command("kinds")
@click.option("--markdown", is_flag=True, help="The table of docs/stacks.md.")
@options.as_json
def list_kinds(*, markdown: bool, as_json: bool) -> None:
    """Show which kinds of stacks there are, and what each has: also the project's own, where there is a project."""
    named = click.get_current_context().find_root().obj
    own = find(named).own_kind() if named or nearest(Path.cwd().resolve()) else None
    click.echo(table.as_json(own) if as_json else table.markdown(own) if markdown else table.text(own))


@stack.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@options.evidence
def execute(*, words: tuple[str, ...], evidence: Path) -> None:
    """Run a command inside the stack's sandbox: `drdrill stack exec -- curl ...`."""
    alive = [one for one in _held(evidence) if one.alive()]
    if not alive:
        raise Refused("no stack is up", hint="`drdrill stack up` starts one")
    ready = alive[-1].ready() or {}
    inside = list(words)
    if ready.get("sandbox"):
        inside = sandbox.join_argv(int(ready["sandbox"]), inside)
    environment = {**for_people(), **ready.get("environment", {}), LABEL: alive[-1].name}  # what it starts ends with it
    try:
        os.execvpe(inside[0], inside, environment)
    except OSError as error:
        raise Refused(f"{inside[0]}: {error.strerror}", hint="is it installed, and on PATH?") from None


def _must_be_usable(evidence: Path) -> None:
    """Errors: `Refused` where nothing can be written in there, or where a stack has no room."""
    elsewhere = "choose another place with --evidence FOLDER"
    try:
        evidence.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{evidence}: {error.strerror}", hint=elsewhere) from None
    if not os.access(evidence, os.W_OK | os.X_OK):
        raise Refused(f"{evidence}: nothing can be written in it", hint=elsewhere)
    must_have_room(evidence, what="a stack")


def _held(evidence: Path) -> list[Held]:
    return [Held(path) for path in sorted(evidence.glob(FOLDERS)) if path.is_dir()]


def _remove(held: Held) -> int:
    ended = end_labelled(held.name)
    stack = held.folder / "stack"
    kinds.left_in(stack).maker.remove_left(held.name, stack)
    shutil.rmtree(held.folder)
    return ended


def _show(held: Held, *, as_json: bool) -> None:
    ready = held.ready() or {}
    if as_json:
        click.echo(json.dumps({"stack": held.name, "alive": True, **ready}, indent=1))
        return
    click.echo(f"{held.name} is up")
    for name, value in ready.get("addresses", {}).items():
        click.echo(f"  {name:<12} {value}")
    where = option(held.folder.parent)
    for name, words in ready.get("commands", {}).items():
        click.echo(f"  {f'{name}:':<12} drdrill stack exec{where} -- {shlex.join(words)}")
    click.echo(f"  end it:      drdrill stack down{where}")
