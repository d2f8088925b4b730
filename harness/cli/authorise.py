"""`drdrill authorise`: whoever answers for a platform lets a drill be run on it, by a signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import Refused
from harness.evidence.keys import fingerprint, signing_key
from harness.safety.owner import authorisation
from harness.safety.owner.authorisation import Approval
from harness.system import clock
from harness.system.operator import operator_name

if TYPE_CHECKING:
    from harness.stacks.attached.file.described import StackFile

SHOWN = ("platform", "environment", "drills", "by", "operator", "why", "begins", "until", "stack file")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--stack", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.yaml", help="The stack file.")
@click.option("--drill", "drills", multiple=True, metavar="NAME", help="Which may be run; several times for several.")
@click.option("--until", default="", metavar="TIME", help="UTC, such as 2026-12-01T16:00; at most 31 days.")
@click.option("--from", "begins", default="", metavar="TIME", help="From when on; at once where it is left out.")
@click.option("--operator", default="", metavar="NAME", help="Who alone may run it: the login name there.")
@click.option("--as", "person", default="", metavar="NAME", help="Who authorises, as claimed.  [default: your login]")
@click.option("--why", default="", metavar="TEXT", help="The reason; it is kept.")
@click.option("--too", is_flag=True, help="Sign FILE, which somebody else has made, with your key, too.")
def authorise(
    *, file: Path, stack: Path | None, drills: tuple[str, ...], until: str, begins: str, operator: str, person: str,
    why: str, too: bool,
) -> None:  # fmt: skip  # parameters in groups
    """Write FILE, by which drills may be run on the platform of a stack file as it is now, until a time.

    It is signed with your key (DRDRILL_KEY=FILE names another than the usual one), which has to be another one than
    that of whoever runs the drill. Give them its fingerprint by another way than FILE.
    """
    key = signing_key()
    if too:
        content = authorisation.signed_too(_read(file), key=key)
        _write(file, content, new=False)
    else:
        if stack is None or not drills or not until:
            raise Refused("--stack, --drill and --until have to be given", hint="or --too, to sign what is there")
        said = _said(stack)
        approval = Approval(
            by=person or operator_name(), operator=operator, drills=tuple(drills), why=why,
            begins=_time(begins) if begins else clock.now().utc - timedelta(minutes=1), until=_time(until),
        )  # fmt: skip  # in groups
        content = authorisation.made(said, approval, key=key)
        _write(file, content, new=True)
    for name, value in authorisation.told(content).items():
        if name in SHOWN and value:
            click.echo(f"{name + ':':<12} {', '.join(value) if isinstance(value, list) else value}")
    click.echo(f"signed by:   {fingerprint(key.public_key())}")
    click.echo("give that fingerprint to whoever runs the drill, by another way than the file")


def _said(stack: Path) -> StackFile:
    from harness.stacks.attached.file.read import load  # noqa: PLC0415  (what reads a file is slow to import)

    return load(stack.absolute())


def _time(text: str) -> datetime:
    """Without an offset it is UTC. Errors: `Refused`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no time", hint="write it like 2026-12-01T16:00, in UTC") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}", hint="name the file that you were given") from None


def _write(file: Path, content: bytes, *, new: bool) -> None:
    try:
        with file.open("xb" if new else "wb") as sink:
            sink.write(content)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}", hint="name a file that is not there yet") from None
