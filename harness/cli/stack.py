"""`drdrill stack`: a stack to explore by hand, with nothing hurt and nothing measured."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from harness.cli import options
from harness.cli.check import check
from harness.errors import Exit, NotInTime, NotReady, Refused
from harness.evidence.run_folder import heal_on, option
from harness.project import find, nearest
from harness.run.run import new_id
from harness.safety import running
from harness.safety.begin import must_have_room
from harness.safety.left_hurt import MOMENT
from harness.stacks import brought_up, daemon, kinds, table
from harness.stacks.brought_up import BroughtUp
from harness.stacks.docker import image
from harness.stacks.docker.extra import EXTRA
from harness.stacks.kinds import Kind
from harness.stacks.local import sandbox
from harness.stacks.needs import Regions
from harness.system import wait
from harness.system.command import LABEL, Process, end_labelled
from harness.system.environment import for_harness, for_people
from harness.system.later import fetch
from harness.system.recorder import Memory

LOG = "hold.log"
START_LIMIT = timedelta(minutes=3)


@click.group()
def stack() -> None:
    """A stack to explore by hand."""


@stack.command()
@options.stack
@options.level
@options.scale
@options.regions
@options.evidence
@options.as_json
def up(*, stack: str, level: str | None, scale: float, regions: int, evidence: Path, as_json: bool) -> None:
    """Start a stack and print where everything is."""
    if alive := [one.name for one in brought_up.all_in(evidence) if one.alive()]:
        down = f"`drdrill stack down{option(evidence)}`"
        raise Refused(f"{alive[0]} is up in {evidence}", hint=f"{down} ends it; or use another --evidence")
    held = BroughtUp((evidence / f"{brought_up.PREFIX}{new_id()}").absolute())
    kind = _kind(stack)
    if kind.file is not None:
        raise Refused(
            "a platform of a stack file is not brought up to be explored", hint="drdrill run NAME --stack FILE"
        )
    _must_have(kind, regions)
    own = [] if kind.project is None else [kind.place, str(kind.project)]
    words = [sys.executable, "-m", daemon.__name__, kind.name, str(held.folder), str(scale), str(regions), *own]
    kind.maker.prepare(lambda said: click.echo(said, err=True))
    inside = kind.maker.way_in(words, level=level)
    _must_be_usable(evidence)
    held.folder.mkdir(parents=True)
    click.echo(f"starting {held.name}, {kind.environment} ...", err=True)
    with (held.folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**for_harness(), LABEL: held.name},
            start_new_session=True,
        )
    brought_up.remember(held.folder, kind, scale=scale, regions=regions, holder=Process.of(child.pid))
    try:
        wait.until(
            lambda: held.ready() or child.poll() is not None,
            what="the stack serves",
            within=START_LIMIT,
            recorder=Memory(),
        )
        if held.ready() is None:
            said = (held.folder / LOG).read_text(errors="replace").strip().splitlines()
            why = next((line for line in reversed(said) if not line.startswith("HINT:")), "no word")
            raise NotReady(f"the stack did not start: {why}", hint="run `drdrill doctor`")
    except (NotReady, NotInTime, KeyboardInterrupt):
        _remove(held)
        raise
    if as_json:
        click.echo(json.dumps(_facts(held), indent=1))
    else:
        _show(held)


def _must_have(kind: Kind, regions: int) -> None:
    """Errors: `Refused` where stacks of the kind have fewer regions."""
    if regions > 1 and (lacks := kind.offer().lacking([Regions(regions)])):
        raise Refused(f"{lacks[0].why}, and no {lacks[0].what}", hint="another --stack, or fewer --regions")


def _kind(name: str) -> Kind:
    """One of the machine's, or the one that the project brings, which it takes where it has one.

    Errors: `Refused`; a project is not wanted where none is asked for.
    """
    root = click.get_current_context().find_root().obj
    if name in kinds.KINDS or not (root or fetch("harness.project:nearest")(Path.cwd().resolve())):
        return kinds.named(name or kinds.USUAL.name)
    found: Kind = fetch("harness.project:find")(root).kind(name)
    return found


@stack.command()
@options.evidence
@options.as_json
def status(*, evidence: Path, as_json: bool) -> None:
    """Show the stacks that were brought up in a folder: steady, busy (a run drills it), hurt, or dead; and the
    platforms of stack files that runs have left hurt, wherever their evidence lies.

    Exit code 2: one is hurt.
    """
    hurt = [one for one in fetch("harness.stacks.attached.place:hurt")() if not _busy(one)]
    found = {one: brought_up.state(one, busy=_busy(one)) for one in brought_up.all_in(evidence)}
    if as_json:
        said = [{**_facts(one), "state": state, "why": why} for one, (state, why) in found.items()]
        said += [_hurt(one) for one in hurt]
        click.echo(json.dumps(said, indent=1))
    else:
        _say(found, evidence, hurt)
    if hurt or any(state == "hurt" for state, _ in found.values()):
        click.get_current_context().exit(Exit.UNKNOWN)


def _hurt(one: BroughtUp) -> dict[str, Any]:
    """Of a platform that somebody else made, for a machine."""
    why = "; ".join(one.said_hurt())
    return {"platform": one.name, "folder": str(one.folder), "state": "hurt", "why": why, "heal": heal_on(one.folder)}


def _say(found: Mapping[BroughtUp, tuple[str, str]], evidence: Path, hurt: Sequence[BroughtUp]) -> None:
    for said in map(_hurt, hurt):
        click.echo(f"the platform {said['platform']} is left hurt: {said['why']}")
        click.echo(f"  {'its folder:':<12} {said['folder']}")
        click.echo(f"  {'heal it:':<12} settle that, then {said['heal']}")
    for one, (state, why) in found.items():
        if state == "dead":
            click.echo(f"{one.name}: dead; `drdrill stack down{option(evidence)}` removes what is left")
        else:
            _show(one, state=f"{state}{f': {why}' if why else ''}")
    if not found and not hurt:
        click.echo("no stack is up; `drdrill stack up` starts one")


@stack.command()
@options.evidence
def down(*, evidence: Path) -> None:
    """End and remove every stack that was brought up in a folder. Harmless when repeated."""
    for one in brought_up.all_in(evidence):
        with running.held(one.folder, within=MOMENT) as free:
            if not free and one.folder.exists():
                raise Refused(
                    f"{one.name} is busy: a run drills it, or is just healed",
                    hint="wait until it is over, or end it with `drdrill stop`",
                )
            ended = _remove(one)
        click.echo(f"{one.name}: {ended} processes ended, its folder is gone")


stack.add_command(check)


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


@stack.command("file")
@click.option("--markdown", is_flag=True, help="The reference of docs/stack-file.md.")
def describe_file(*, markdown: bool) -> None:
    """Show what a stack file may say, from the schema that it is read by."""
    page = fetch("harness.stacks.attached.file.page:markdown")()
    click.echo(page if markdown else page.replace("`", ""))


@stack.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@options.evidence
def execute(*, words: tuple[str, ...], evidence: Path) -> None:
    """Run a command inside the stack's sandbox: `drdrill stack exec -- curl ...`."""
    alive = [one for one in brought_up.all_in(evidence) if one.alive()]
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


def _busy(one: BroughtUp) -> bool:
    return running.alive(one.folder)


def _remove(held: BroughtUp) -> int:
    ended = end_labelled(held.name)
    held.kind.maker.remove_left(held.name, held.stack)
    shutil.rmtree(held.folder)
    return ended


def _facts(held: BroughtUp) -> dict[str, Any]:
    """For a machine."""
    return {
        "stack": held.name,
        "folder": str(held.folder),
        "alive": held.alive(),
        "scale": held.scale,
        "regions": held.regions,
        **(held.ready() or {}),
    }


def _show(held: BroughtUp, *, state: str = "") -> None:
    ready = held.ready() or {}
    click.echo(f"{held.name} is up")
    if state:
        click.echo(f"  {'it is':<12} {state}")
    for name, value in ready.get("addresses", {}).items():
        click.echo(f"  {name:<12} {value}")
    where = option(held.folder.parent)
    for name, words in ready.get("commands", {}).items():
        click.echo(f"  {f'{name}:':<12} drdrill stack exec{where} -- {shlex.join(words)}")
    click.echo(f"  {'drill it:':<12} drdrill run NAME --on {shlex.quote(str(held.folder))}")
    click.echo(f"  {'end it:':<12} drdrill stack down{where}")
