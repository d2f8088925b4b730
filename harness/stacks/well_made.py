"""Whether what a project gives for a stack is one: each of its attributes is what a drill takes it for.

Found before a run begins, and told with the name of the class; within a run it would break whatever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks import Condition, Entrance
from harness.stacks.capabilities import find
from harness.stacks.capabilities.components import Asked
from harness.stacks.capabilities.entrance import Reachable
from harness.system.command import Commands

HINT = "docs/add-a-stack.md says what a stack must have, and of which types"
PLAIN = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.@-]*"
)  # the name of a component, a zone, a log: a file in a pack is named so
CALLED = ("components", "steady", "parts", "logs", "start", "stop")
MUST_HAVE = ("kind", "environment", "regions", "folder", "commands", "secrets", *CALLED)


def must_be_well_made(made: Any, *, label: str) -> None:
    """Before it is started. `label`: what all that it starts has to carry.

    Errors: `Refused`, naming everything that is wrong.
    """
    _refuse(made, _wrong(made, label))


def must_answer(made: Any) -> None:
    """Once it has been started. Errors: `Refused`, naming what it said that is no answer."""
    _refuse(made, _no_answers(made))


def _refuse(made: Any, found: Iterator[str]) -> None:
    if wrong := "; ".join(found):
        raise Refused(f"{type(made).__name__} is no stack: {wrong}", hint=HINT)


def _wrong(made: Any, label: str) -> Iterator[str]:
    missing = [name for name in MUST_HAVE if not hasattr(made, name)]
    if missing:
        yield f"it has no {', '.join(f'`{name}`' for name in missing)}"
        return
    yield from (f"`{name}` is no method" for name in CALLED if not callable(getattr(made, name)))
    if not isinstance(made.folder, Path):
        yield f"`folder` is no Path, but {made.folder!r}"
    if not isinstance(made.commands, Commands):
        yield "`commands` is no `harness.system.command.Commands`"
    elif made.commands.label != label:
        yield f"its `commands` have the label {made.commands.label!r}, and not the one that it was given, {label!r}"
    yield from _of_regions(made.regions)
    if not _listed(made.secrets) or not all(isinstance(word, str) and word.strip() for word in made.secrets):
        yield "`secrets` is no sequence of words, none of them empty"
    if callable(made.components):
        yield from _of_components(made.components())
    if callable(made.logs):
        yield from _of_logs(made.logs())


def _of_regions(regions: Any) -> Iterator[str]:
    if not _listed(regions) or not regions:
        yield '`regions` is no sequence with at least one region in it, such as (PlainRegion("here"),)'
        return
    for region in regions:
        if not isinstance(getattr(region, "name", None), str):
            yield f"the region {region!r} has no `name`"
        elif not _listed(getattr(region, "zones", None)) or not all(map(_plain, region.zones)):
            yield f"`zones` of the region {region.name} is no sequence of plain names"
        elif not _listed(getattr(region, "holds", None)):
            yield f"`holds` of the region {region.name} is no sequence"


def _of_components(found: Any) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield "`components()` gives no mapping from name to component"
        return
    for name, part in found.items():
        if not _plain(name):
            yield f"a component is named {name!r}: letters, digits and - _ . @ are plain"
        elif getattr(part, "name", None) != name:
            yield f"the component {name} has the `name` {getattr(part, 'name', None)!r}"
        elif not isinstance(getattr(part, "zone", None), str):
            yield f'the component {name} has no `zone`, which is "" where it stands in none'
        elif not callable(getattr(part, "running", None)):
            yield f"the component {name} has no `running()`"


def _of_doors(found: Mapping[str, Any]) -> Iterator[str]:
    for name, part in found.items():
        door = part.door if isinstance(part, Asked) else ("", 0)
        if not isinstance(door, tuple) or [type(each) for each in door] != [str, int]:
            yield f"the `door` of the component {name} is no address and port, but {door!r}"


def _of_logs(found: Any) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield "`logs()` gives no mapping from name to file"
        return
    for name, file in found.items():
        if not _plain(name):
            yield f"a log is named {name!r}: letters, digits and - _ . @ are plain"
        elif not isinstance(file, Path):
            yield f"the log {name} is no Path, but {file!r}"


def _no_answers(made: Any) -> Iterator[str]:
    conditions = made.steady()
    if not _listed(conditions) or not conditions or not all(isinstance(each, Condition) for each in conditions):
        yield f"`steady()` gives no list of at least one Condition, but {conditions!r}"
    parts = made.parts()
    if not isinstance(parts, Mapping) or not all(isinstance(word, str) for item in parts.items() for word in item):
        yield f"`parts()` gives no mapping from name to version, but {parts!r}"
    reachable = find(made, Reachable)
    if reachable and not isinstance(reachable.entrance, Entrance):
        yield f"`entrance` is no `harness.stacks.Entrance`, but {reachable.entrance!r}"
    yield from _of_components(made.components())
    yield from _of_doors(made.components())
    yield from _of_logs(made.logs())


def _listed(found: Any) -> bool:
    return isinstance(found, Sequence) and not isinstance(found, str)


def _plain(name: Any) -> bool:
    return isinstance(name, str) and bool(PLAIN.fullmatch(name))
