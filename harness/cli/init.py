"""`drdrill init`: a stack file and a project to begin with, from a compose file or from a few answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from harness.cli import init_backups
from harness.cli.init_backups import ANSWERS, TOOLS, begin_with_backups
from harness.cli.init_questions import QUESTIONS, Question
from harness.errors import Refused
from harness.project import load as load_project
from harness.restores.described import Tool
from harness.stacks.attached.file.read import load
from harness.stacks.attached.proposed import compose_file
from harness.stacks.attached.proposed.files import BOOKS, CLIENT, PLAN, PROJECT, STACK, files_of
from harness.stacks.attached.proposed.from_compose import from_compose, from_names
from harness.stacks.attached.proposed.proposal import Proposal
from harness.system.operator import operator_name

OPEN = "--yes takes what is proposed; or give it by its option"


@click.command()
@click.option(
    "--compose", "composed", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The compose file of the platform; several times where there are several.",
)  # fmt: skip  # arguments in groups
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), default=Path("drdrill"), show_default=True,
    metavar="FOLDER", help="Where it is written. Nothing there is written over.",
)  # fmt: skip  # arguments in groups
@click.option(
    "--backups", "tool", type=click.Choice(TOOLS), metavar="TOOL",
    help=f"Begin with backups alone, made by {', '.join(TOOLS)}: they are restored beside, and nothing is hurt.",
)  # fmt: skip  # arguments in groups
@click.option("--repository", default="", metavar="PLACE", help="Of backups: a folder, or s3://bucket/prefix.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Of backups: a stanza, or a server of Barman.")
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
    help="Of backups: the tool's own configuration, instead of a repository.",
)  # fmt: skip  # arguments in groups
@click.option("--image", default="", metavar="IMAGE", help="Of backups: an image with PostgreSQL, and with the tool.")
@click.option(
    "--look/--no-look", default=True,
    help="Of backups: restore the newest once, to propose what its rows have to be. [default: look]",
)  # fmt: skip  # arguments in groups
@click.option("--component", "components", multiple=True, metavar="NAME[=WHAT]", help="Without a compose file: a part.")
@click.option("--compose-project", default="", metavar="NAME", help="Without one: the project that has these parts.")
@click.option("--yes", is_flag=True, help="Take what is proposed for all that is not given, and ask nothing.")
def init(
    *, composed: Sequence[Path], into: Path, components: Sequence[str], compose_project: str,
    yes: bool, tool: Tool | None, repository: str, servers: Sequence[str], config: Path | None, image: str, look: bool,
    **given: str | None,
) -> None:  # fmt: skip  # parameters in groups
    """Begin a project of your own: a stack file that describes a platform, and drills for it.

    It is written from a compose file (--compose), from the names of the parts, or from a look at backups alone
    (--backups). What is guessed says why, in a comment; secrets are never copied, only what they are called.
    """
    answers = {name: said for name, said in given.items() if said is not None}
    if tool:
        alien = [each.option for each in QUESTIONS if each.name in answers and each.name not in ANSWERS]
        if composed or components or compose_project or alien:
            what = f"leave out what is about components{f': {alien[0]}' if alien else ''}"
            raise Refused("--backups begins with backups alone", hint=what)
        asked = init_backups.Asked(tool, repository, servers, config, image, answers, look)
        begin_with_backups(asked, into=into, tried=_must_be_written, write=_write)
        return
    asks = not yes and _on_terminal()
    found = _proposed(composed, components, compose_project, asks=asks)
    for question in QUESTIONS:
        if question.applies(found):
            found = _answered(question, found, answers.get(question.name), asks=asks, yes=yes)
    files = files_of(found, into.absolute())
    _must_be_readable(found)
    _write(files, into)
    _tell(found, files, into)


for each in QUESTIONS:
    init = click.option(each.option, each.name, default=None, metavar=each.metavar, help=each.help)(init)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _proposed(composed: Sequence[Path], components: Sequence[str], project: str, *, asks: bool) -> Proposal:
    if composed and (components or project):
        raise Refused("a compose file says which parts there are", hint="leave --component and --compose-project out")
    if composed:
        return from_compose(compose_file.read(composed), owner=operator_name())
    if not components and not asks:
        raise Refused("nothing says what the platform is made of", hint="--compose FILE, or --component for each part")
    if not components:
        project = click.prompt("compose project (nothing: containers by their names)", default="", show_default=False)
        components = click.prompt("parts, such as: api-a=api api-b=api db=database").split()
    named = {name: role for name, _, role in (each.partition("=") for each in components)}
    return from_names(named, project=project, name=project.capitalize() or "Platform", owner=operator_name())


def _answered(question: Question, found: Proposal, given: str | None, *, asks: bool, yes: bool) -> Proposal:
    """Errors: `Refused` where it is wrong, or nobody is there to be asked."""
    proposed = question.now(found)
    if given is None and asks:
        return _asked(question, found, proposed)
    if given is None and not yes:
        raise Refused(f"{question.words}? Nobody answers, and there is no terminal", hint=f"{OPEN}: {question.option}")
    try:
        return question.change(found, proposed if given is None else given)
    except ValueError as error:
        raise Refused(f"{question.option}: {error}", hint=question.help) from None


def _asked(question: Question, found: Proposal, proposed: str) -> Proposal:
    """Until it can be taken."""
    while True:
        said = click.prompt(question.words, default=proposed, show_default=bool(proposed))
        try:
            return question.change(found, str(said))
        except ValueError as error:
            click.echo(f"  {error}; {question.help}")


def _must_be_readable(found: Proposal) -> None:
    """By the machine, before anything is written where it was asked for. Errors: `Refused`, with what to change."""
    _must_load(lambda tried: files_of(found, tried))


def _must_be_written(files: Mapping[str, str], into: Path) -> None:
    """They can be read, and none is there. Errors: `Refused`."""
    _must_load(lambda tried: files)
    _must_be_free(files, into)


def _must_load(files: Callable[[Path], Mapping[str, str]]) -> None:
    with TemporaryDirectory(prefix="drdrill-init-") as place:
        tried = Path(place)
        _put(files(tried), tried, [])
        try:
            load(tried / STACK)
            load_project(tried).drills()
        except Refused as error:
            said = error.message.replace(f"{tried}/", "")
            what = f"what would be written cannot be read: {said}"
            hint = error.hint.replace(f"{tried}/", "what is written to ")
            raise Refused(what, hint=f"another answer; {hint}") from None


def _must_be_free(files: Collection[str], into: Path) -> None:
    if there := [name for name in files if (into / name).exists() or (into / name).is_symlink()]:
        hint = "another folder: --into FOLDER; or move them away"
        raise Refused(f"{into} has {', '.join(there)} already, and nothing is written over", hint=hint)


def _write(files: Mapping[str, str], into: Path) -> None:
    """All of it, or nothing. Errors: `Refused` where one is there already."""
    _must_be_free(files, into)
    made: list[Path] = []
    try:
        _put(files, into, made)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        raise Refused(f"{into}: {error.strerror or error}", hint="write elsewhere: --into FOLDER") from None


def _put(files: Mapping[str, str], folder: Path, made: list[Path]) -> None:
    """`made`: told each file, once it is ours. Errors: `OSError`, also where somebody else has just made one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            made.append(path)
            file.write(text)


def _tell(found: Proposal, files: Mapping[str, str], into: Path) -> None:
    click.echo(f"{found.name}: written in {into}, to be read and changed by you:")
    whats = {
        STACK: f"what it is made of, how it is asked, what may be done to it: {len(found.parts)} components",
        PROJECT: "where the parts of the project lie",
        PLAN: f"what is promised: back within {found.rto}, at most {found.rpo} lost; and when that is drilled",
        CLIENT: "how customers write: FILL IN, nobody can guess it",
        BOOKS: "what must agree in the data, once a feature asks for it",
    }
    for name in files:
        click.echo(f"  {name:<44} {whats.get(name, '')}".rstrip())
    guessed = [f"{part.name} is {part.role} ({part.why})" for part in found.parts if part.why]
    _listed("guessed:", guessed)
    _listed("left out:", found.notes)
    _listed("never hurt:", [f"{part.name}: {part.never}" for part in found.parts if part.never])
    kept_back = [f"of {name}: {', '.join(settings)}" for name, settings in found.not_copied.items()]
    _listed("not copied, for they look like secrets:", kept_back)
    if found.database:
        secret = found.database.secret
        _listed("secrets, by reference:", [f"database: the variable {secret}, the password of {found.database.user}"])
        if not found.database.name:
            _listed("not said, and to be filled in:", [f"what the database is called: dbname in {STACK}"])
    here, said = shlex.quote(str(into)), shlex.quote(str(into / STACK))
    click.echo("next:")
    click.echo(f"  drdrill --project {here} list --stack {said}   # what can be drilled, and what gives the rest")
    click.echo("  fill in client.yaml, and correct what was guessed")
    click.echo(f"  drdrill --project {here} stack check {said}   # asks all of it, and hurts nothing")


def _listed(head: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo(head)
    for line in lines:
        click.echo(f"  {line}")
