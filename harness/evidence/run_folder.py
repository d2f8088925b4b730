"""Where things lie in a run's folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from harness.errors import Refused

USUAL = Path("evidence")  # of the working directory: where packs go unless --evidence says otherwise
UNFINISHED = ".unfinished"  # behind the run's id until the pack is sealed
DAMAGED = ".damaged"  # the same, where its journal cannot be read any more: it is healed, and never sealed
CONTROL = "control"  # the guardian's log, requests to stop, questions to people: gone before the pack is sealed
PROJECT = f"{CONTROL}/project.json"  # the folder of the project that is drilled, for whoever heals the run
PROOF = "proof-"  # before the id of a folder in which a drill is proved
UNDO = "undo"  # what heals each fault, on disk before it is injected
UNHEALED = "unhealed"  # of a stack that stands: a file for each fault that a run has injected, and not seen healed
STACK_FOLDER = "stack"  # the stack's own files; gone before the pack is sealed
KEPT_PLACES = "kept-places"  # beside the packs: in a folder of each run's own, what was restored and is to be looked at
DISK_WANTED = 3_000_000_000  # bytes: three database volumes, their backups and what is moved aside
KEPT = 1_000_000  # bytes of each log


def option(evidence: Path) -> str:
    """` --evidence FOLDER`, for a command that is printed to be copied; nothing for the usual folder."""
    return "" if evidence.resolve() == USUAL.resolve() else f" --evidence {shlex.quote(str(evidence))}"


def heal_on(place: Path) -> str:
    """The command that heals what is left on a stack that stands there."""
    return f"drdrill heal --on {shlex.quote(str(place))}"


def lengths(logs: Mapping[str, Path]) -> dict[str, int]:
    """How long each component's log is now, in bytes."""
    return {name: path.stat().st_size for name, path in logs.items() if path.is_file()}


def keep_logs(logs: Mapping[str, Path], into: Path, *, since: Mapping[str, int] | None = None) -> None:
    """Copy the last megabyte of each component's log.

    `since`: how long each was when a run began on a stack that is older; one that is shorter now was begun anew.
    """
    into.mkdir(parents=True, exist_ok=True)
    for name, path in logs.items():
        if Path(name).name != name:
            raise Refused(f"a log cannot be named {name!r}", hint="name it by its component, without a folder")
        if path.is_file():
            with path.open("rb") as source:
                size, begin = path.stat().st_size, (since or {}).get(name, 0)
                begin = begin if begin <= size else 0
                left_out = max(begin, size - KEPT)
                source.seek(left_out)
                if left_out > begin:
                    source.readline()  # the rest of a line: what is to be masked is known by its beginning
                (into / f"{name}.log").write_bytes(source.read())


def temporary_prefix(run: str) -> str:
    """What the names of a run's temporary folders in /tmp begin with: short, and its own."""
    return f"drd-{run[-11:]}-"
