"""The kinds of stacks there are, in one table. A new kind is a folder beside this file and a line; a project may bring
one of its own, which joins for the commands that are about that project. A platform that somebody else made is a kind
by itself: the file that describes it says what its stack has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.run_folder import PROJECT, STACK_FOLDER
from harness.stacks.maker import Maker
from harness.stacks.needs import Offer
from harness.stacks.own import OwnMaker
from harness.system import control_files
from harness.system.later import fetch

ATTACHED = "attached"  # the name of the kind that a stack file gives
FILE = "stack.yaml"  # a copy of a stack file, where a run has it, and in its pack
SAVED = "stack.json"  # what a stack of the machine writes down of itself, in its folder


@dataclass(frozen=True)
class Kind:
    """One kind. What it needs (a database driver, an engine) is imported when its stacks are made."""

    name: str
    environment: str  # class of environment
    place: str  # of its maker, `module:NAME`; of a project's own kind the class that it names
    project: Path | None = None  # the folder of the project that brings it; None: it is the machine's
    file: Path | None = None  # of a platform that somebody else made: what describes it
    base: Path | None = None  # the folder that relative paths of that file are seen from

    @property
    def maker(self) -> Maker:
        """What makes its stacks."""
        if self.file is not None:
            attached: Maker = fetch("harness.stacks.attached.maker:AttachedMaker")(self.file, self.base)
            return attached
        if self.project is not None:
            return OwnMaker(self.place, self.project)
        made: Maker = fetch(self.place)
        return made

    def offer(self, *, level: str | None = None) -> Offer:
        """What its stacks have on this machine, on that level of a sandbox; nothing is started for it."""
        maker = self.maker
        return Offer(self.name, maker.has, maker.withheld(level=level))


KINDS: Mapping[str, Kind] = {
    "local": Kind("local", "embedded", "harness.stacks.local.maker:MAKER"),
    "docker": Kind("docker", "containers", "harness.stacks.docker.maker:MAKER"),
}
USUAL = KINDS["local"]


def is_file(name: str) -> bool:
    """Whether what stands where a kind is named means a stack file."""
    return name.endswith((".yaml", ".yml")) or "/" in name


def of_file(path: Path) -> Kind:
    """The kind that a stack file gives. Errors: `Refused`, with every problem of the file."""
    path = path.absolute()
    said = fetch("harness.stacks.attached.file.read:load")(path)
    return Kind(ATTACHED, said.platform.environment, "", file=path, base=path.parent)


def named(name: str, own: Kind | None = None) -> Kind:
    """The kind of that name or file; `own` is one that a project brings. Errors: `Refused` where there is none."""
    if is_file(name):
        return of_file(Path(name))
    known = {**KINDS, **({own.name: own} if own else {})}
    if name not in known:
        hint = f"kinds: {', '.join(sorted(known))}; a stack file is named as FILE.yaml"
        raise Refused(f"there is no kind of stack named {name!r}", hint=hint)
    return known[name]


def own_kind(place: str, folder: Path, where: str) -> Kind:
    """The kind that a project brings; `where` says who names it. Errors: `Refused`, also where its name is taken."""
    found = OwnMaker(place, folder, where).load()
    if found.kind in KINDS:
        raise Refused(f"{where}: a stack of the kind {found.kind} is there already", hint="give the class another kind")
    return Kind(found.kind, found.environment, place, folder)


def remember(kind: Kind, control: Path, project: Path, *, on: Path | None = None) -> None:
    """For whoever heals the run: which kind of stack it has, and of which project; `control` is the run's file.

    `on`: the folder of the stack that stands and is not the run's to remove. Of a platform that a file describes, and
    the run brings up, the file is kept beside, with its secrets: whoever heals has the ones that this run had.
    """
    if kind.file is not None and on is None:
        kind.maker.keep(control.parent)
        kind = replace(kind, file=Path(FILE))
    standing = {"on": str(on)} if on else {}
    control_files.leave(control, {**words(kind), "folder": str(project), **standing})


def words(kind: Kind) -> dict[str, str]:
    """A kind as JSON values, from which `told` makes it again in another process."""
    own = {} if kind.project is None else {"place": kind.place, "folder": str(kind.project)}
    if kind.file is not None:
        own = {"environment": kind.environment, "file": str(kind.file), "base": str(kind.base)}
    return {"kind": kind.name, **own}


def told(said: Mapping[str, Any], beside: Path = Path()) -> Kind | None:
    """The kind that `words` wrote down, into a file of the folder `beside`; None where it says none. Nothing of a
    project is imported."""
    name, place = str(said.get("kind", "")), str(said.get("place", ""))
    if file := said.get("file"):
        base = Path(str(said.get("base", "")))
        return Kind(name, str(said.get("environment", "")), "", file=beside / str(file), base=base)
    if place:
        return Kind(name, str(said.get("environment", "")), place, Path(str(said.get("folder", ""))))
    return KINDS.get(name)


def of_run(folder: Path) -> Kind:
    """The kind of stack that a run has, whoever asks. Nothing of the project is imported."""
    said = control_files.read(folder / PROJECT) or {}
    return told(said, (folder / PROJECT).parent) or left_in(folder / STACK_FOLDER)


def stands_on(folder: Path) -> Path | None:
    """The folder of the stack that a run drills and does not own; None where it has made its own."""
    said = (control_files.read(folder / PROJECT) or {}).get("on")
    return Path(str(said)) if said else None


def left_in(folder: Path) -> Kind:
    """Of the machine's own kinds that which was started in a stack's folder; the usual one where none came so far."""
    said = control_files.read(folder / SAVED) or {}
    return KINDS.get(str(said.get("kind")), USUAL)
