"""`drdrill stack check`: whether a platform can be drilled as its stack file says, found out by asking it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from harness.cli import options
from harness.errors import Exit, Refused
from harness.evidence.redact import Redactor
from harness.features.catalog import Scenario
from harness.project import Project, find, nearest
from harness.safety import running
from harness.stacks import kinds
from harness.stacks.attached.checking.line import MARKS, Line
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.file.read import load
from harness.stacks.needs import Offer
from harness.system.later import fetch

NAMED = "component {name}"  # in a sentence that is about one component of the stack file
ANY_OF_A_KIND = "the role {role}"  # in one that is about any of its role


class Can(NamedTuple):
    """Whether a scenario can run: what is missing, and what would give it."""

    drill: str
    scenario: Scenario
    missing: Sequence[str]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--project", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="The project whose client writes one transaction and reads it back; else the one that you stand in.",
)  # fmt: skip  # arguments in groups
@options.evidence
@options.as_json
@click.pass_context
def check(context: click.Context, *, file: Path, folder: Path | None, evidence: Path, as_json: bool) -> None:
    """Ask a platform all that its stack FILE says: is it there, does each probe see, who leads, is what is written
    read back, and which scenarios can run. Nothing is hurt.

    Exit code 0: all of it holds; 1: something does not (✗); 2: something could not be told (?).
    """
    said = load(file)
    project = _project(folder or context.find_root().obj)
    if running.alive(fetch("harness.stacks.attached.place:folder_of")(said)):
        raise Refused(f"{said.platform.name} is being drilled now", hint="wait until it is over: much is red meanwhile")
    lines = _asked(said, project, evidence)
    able = _able(project, said, kinds.of_file(file).offer()) if project else []
    if as_json:
        click.echo(json.dumps(_as_json(said, project, lines, able), indent=1, ensure_ascii=False))
    else:
        _print(said, project, lines, able)
    context.exit(_exit(lines))


def _project(folder: Path | None) -> Project | None:
    """None where none is named, and nobody stands in one. Errors: `Refused`."""
    return find(folder) if folder or nearest(Path.cwd().resolve()) else None


def _asked(said: StackFile, project: Project | None, evidence: Path) -> list[Line]:
    """All that was found, with nothing in it that is secret."""
    asked = fetch("harness.stacks.attached.checking.check:check")
    masks = [Redactor()]

    def then(platform: Any) -> list[Line]:
        masks.append(Redactor(platform.known.values()))
        if project is None:
            hint = "name it: --project FOLDER; drdrill init begins one"
            return [Line("client", "a numbered transaction", None, "skipped: no project says how one is written", hint)]
        tried: list[Line] = fetch("harness.run.tried_client:try_client")(project.client, platform.stack)
        return tried

    before = partial(fetch("harness.restores.earlier:earlier"), evidence)
    return [_masked(line, masks) for line in asked(said, then=then, before=before)]


def _masked(line: Line, masks: Sequence[Redactor]) -> Line:
    words = [line.what, line.seen, line.hint]
    for mask in masks:
        words = [str(mask.mask(word)) for word in words]
    return Line(line.part, words[0], line.ok, words[1], words[2])


def _able(project: Project, said: StackFile, offer: Offer) -> list[Can]:
    """Each scenario of the project, and what the file lacks for it. Errors: `Refused`, as `Project.drills`."""
    found = []
    for drill in project.drills():
        for scenario in drill.scenarios:
            lacks = [f"{lack.what}: it takes {lack.given_by}" for lack in project.lacking(scenario, offer)]
            found.append(Can(drill.name, scenario, [*dict.fromkeys([*lacks, *_not_there(project, scenario, said)])]))
    return found


def _not_there(project: Project, scenario: Scenario, said: StackFile) -> list[str]:
    """Components, and roles, that its sentences name, and the file has not, or lets nobody hurt."""
    meant = project.sentences.meant(scenario.sentences)
    filled = [(found.pattern, found.filled(sentence.text) or {}) for sentence, found in meant]
    named = [given["name"] for pattern, given in filled if NAMED in pattern]
    roles = [given["role"] for pattern, given in filled if ANY_OF_A_KIND in pattern]
    missing = [f"a component {name}: the file names none" for name in named if name not in said.components]
    missing += [f"a component {name} that may be hurt: the file says never" for name in named if name in said.never]
    there = {one.role for one in said.components.values() if one.name not in said.never}
    return missing + [f"a component of the role {role} that may be hurt" for role in roles if role not in there]


def _exit(lines: Sequence[Line]) -> Exit:
    found = {line.ok for line in lines}
    return Exit.MISSED if False in found else Exit.UNKNOWN if None in found else Exit.MET


def _as_json(said: StackFile, project: Project | None, lines: Sequence[Line], able: Sequence[Can]) -> dict[str, Any]:
    scenarios = [
        {"drill": one.drill, "name": one.scenario.name, "title": one.scenario.title, "missing": list(one.missing)}
        for one in able
    ]
    whose = {"name": project.name, "folder": str(project.folder)} if project else None
    return {
        "platform": said.platform.name, "file": str(said.path), "sha256": said.digest, "project": whose,
        "outcome": _exit(lines).name, "lines": [line.as_json() for line in lines], "scenarios": scenarios,
    }  # fmt: skip  # in groups


def _print(said: StackFile, project: Project | None, lines: Sequence[Line], able: Sequence[Can]) -> None:
    if project:
        options.say_which(project)
    click.echo(f"platform: {said.platform.name} ({said.path}); it is only asked")
    for line in lines:
        click.echo(str(line))
        if line.hint and not line.ok:
            click.echo(f"    HINT: {line.hint}")
    if able:
        click.echo(f"scenarios: {sum(not one.missing for one in able)} of {len(able)} can run, as the file says")
    for one in able:
        click.echo(f"{MARKS[None if one.missing else True]} {one.drill}: {one.scenario.title}")
        for missing in one.missing:
            click.echo(f"    lacks {missing}")
    _print_end(lines, next_of(said.path, able))


def next_of(file: Path, able: Sequence[Can]) -> str:
    """What to call then; the drill by its name, where the file gives one alone what it takes."""
    drills = {one.drill for one in able if not one.missing}
    return f"drdrill run {drills.pop() if len(drills) == 1 else 'NAME'} --stack {shlex.quote(str(file))} --dry-run"


def _print_end(lines: Sequence[Line], then: str) -> None:
    wrong = [line for line in lines if line.ok is False]
    unknown = [line for line in lines if line.ok is None]
    if wrong or unknown:
        click.echo(f"{len(wrong)} wrong (✗), {len(unknown)} that nobody can tell (?), of {len(lines)}")
    else:
        click.echo(f"all of it holds: {len(lines)} answers; next: {then}")
