"""Options that several commands share."""

from __future__ import annotations

import math
import stat
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from harness.errors import Refused
from harness.system.later import fetch
from harness.system.operator import LONGEST

if TYPE_CHECKING:
    from harness.project import Project
    from harness.stacks.kinds import Kind
    from harness.stacks.needs import Offer

F = TypeVar("F", bound=Callable[..., Any])
LEVELS = ("rootless", "privileged", "loopback")


def _finite(context: click.Context, option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter("not a number", ctx=context, param=option)
    return value


def project(function: F) -> F:
    """The project that the command is about, as its argument `project`: see `harness.project.find`."""

    @wraps(function)
    def with_project(*args: Any, **given: Any) -> Any:
        find = fetch("harness.project:find")  # what only packs are asked of does without
        return function(*args, project=find(click.get_current_context().find_root().obj), **given)

    return cast(F, with_project)


def say_which(project: Project) -> None:
    """The first line of what a command prints for people: it may have found the project by itself."""
    click.echo(f"project: {project}")


def offer_of(kind: Kind, level: str | None) -> Offer:
    """What stacks of the kind have on this machine. Errors: `Refused` where they have no such level of a sandbox."""
    kind.maker.must_fit(level=level)
    return kind.offer(level=level)


def evidence(function: F) -> F:
    return click.option(
        "--evidence",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("evidence"),
        show_default=True,
        help="Folder of the evidence packs.",
    )(function)


def was_given(context: click.Context, name: str) -> bool:
    """Whether an option stands on the command line, and is no default."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def must_be_there(context: click.Context, evidence: Path) -> None:
    """Errors: `Refused` where a folder was named on the command line that is not there: a slip of the pen."""
    named = was_given(context, "evidence")
    try:
        there = stat.S_ISDIR(evidence.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except OSError as error:
        raise Refused(f"{evidence}: {error.strerror}", hint="name a folder that you may look into") from None
    if named and not there:
        raise Refused(f"there is no folder {evidence}", hint="name the folder that the run was given, or none")


def as_json(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="For a machine: JSON on standard output.")(function)


def stack(function: F) -> F:
    return click.option(
        "--stack",
        default="",
        metavar="KIND",
        help="Kind of stack: local (processes of this machine), docker (containers), FILE.yaml (a platform that "
        "somebody else made, as that file describes it), or the project's own, which it takes where it has one.",
    )(function)


def level(function: F) -> F:
    return click.option(
        "--sandbox",
        "level",
        type=click.Choice(LEVELS),
        help="Force a level of the embedded stack's sandbox instead of the best one.",
    )(function)


def scale(function: F) -> F:
    return click.option(
        "--scale",
        type=click.FloatRange(0.01, 1000),
        callback=_finite,
        default=1.0,
        show_default=True,
        help="Size of the data set; 1 is 200,000 transactions.",
    )(function)


def regions(function: F) -> F:
    return click.option(
        "--regions",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="How many regions the stack has, of a kind that can have several.",
    )(function)


def person(help: str) -> Callable[[F], F]:
    """`--as NAME`; the login name where it is left out."""

    def add(function: F) -> F:
        return click.option("--as", "person", default="", metavar="NAME", callback=_said, help=help)(function)

    return add


def why(function: F) -> F:
    return click.option("--why", default="", metavar="TEXT", callback=_said, help="The reason; it is kept.")(function)


def _said(context: click.Context, option: click.Parameter, value: str) -> str:
    """A name or a reason goes into journals and onto terminals: printable, and not a book."""
    value = value.strip()
    if len(value) > LONGEST or not value.isprintable():
        raise click.BadParameter(f"give at most {LONGEST} printable letters", ctx=context, param=option)
    return value
