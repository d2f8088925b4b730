"""What whoever runs a drill says to the owner of a platform: asked on the terminal, or given with options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import Refused
from harness.safety.owner import consent
from harness.safety.owner.consent import Given
from harness.safety.owner.file import said_of
from harness.stacks.attached.file.described import TWO_PEOPLE
from harness.system.operator import LONGEST, operator_name

if TYPE_CHECKING:
    from harness.stacks.attached.file.described import StackFile
    from harness.stacks.kinds import Kind

F = TypeVar("F", bound=Callable[..., Any])
VARIABLE = "DRDRILL_AUTHORITY"  # fingerprints with commas between, where the command line has none
PEOPLE = 2


def options(function: F) -> F:
    """Of a command that hurts: they come as one argument, `given`."""
    made = [
        click.option("--yes-hurt", default="", metavar="NAME", help="The platform of a stack file, which you mean."),
        click.option(
            "--authorised", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Made with `drdrill authorise`; a platform in production wants one.",
        ),
        click.option(
            "--authority", multiple=True, metavar="FILE|FINGERPRINT",
            help=f"Whose key may authorise, as you got it by another way; or {VARIABLE}.",
        ),
    ]  # fmt: skip  # in groups
    for each in reversed(made):
        function = each(function)
    return function


def given(said: Mapping[str, Any], drills: Sequence[str]) -> Given:
    """As those options say it; nothing is asked yet."""
    authorities = said["authority"] or tuple(filter(None, os.environ.get(VARIABLE, "").split(",")))
    file = said["authorised"].absolute() if said["authorised"] else None
    return Given(said["yes_hurt"], consent.FLAG, (), file, tuple(authorities), tuple(drills))


def asked(found: Given, kind: Kind, *, ask: bool) -> Given:
    """With what people type, where the file wants it and nothing was given; `ask`: there is a terminal for it."""
    said = said_of(kind)
    if said is None:
        if found.name or found.authorised:
            raise Refused("--yes-hurt and --authorised are about a stack file", hint="leave them out")
        return found
    wanted = consent.way(said)
    if not wanted or found.name or not ask or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return found
    click.echo(f"{said.platform.name} ({said.platform.environment}, of {said.platform.owner}) is not yours alone")
    people = tuple(_person(said, number) for number in range(PEOPLE if wanted == TWO_PEOPLE else 1))
    if len(set(people)) < len(people):
        raise Refused("that is one person twice", hint="the second one types another name")
    return replace(found, name=said.platform.name, how=consent.TYPED, people=people)


def _person(said: StackFile, number: int) -> str:
    """One of them, as claimed. Errors: `Refused` where the platform's name is not typed."""
    who = str(click.prompt("who are you?", default=None if number else operator_name())).strip()
    if not who or len(who) > LONGEST or not who.isprintable():
        raise Refused("that is no name", hint=f"give at most {LONGEST} printable letters")
    typed = str(click.prompt("type the name of the platform, to have it hurt")).strip()
    if typed != said.platform.name:
        raise Refused(f'"{typed}" is not its name; nothing was hurt', hint=f"it is {said.platform.name}")
    return who
