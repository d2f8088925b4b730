"""Undo before do: what heals a fault is on disk, fsynced, before the fault is injected.

On a stack that is not the run's own it lies beside the stack, too, until the fault is seen healed: whatever becomes of
the run's folder, the stack itself says that it is hurt.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.evidence.lines import Line
from harness.evidence.run_folder import UNDO as FOLDER
from harness.evidence.run_folder import UNFINISHED, UNHEALED, heal_on, option
from harness.faults import BY_RECOVERY, Fault, Undo, table
from harness.stacks.kinds import stands_on
from harness.system import clock, control_files
from harness.system.durable import sync_folder

HEALED = ".healed"


@dataclass(frozen=True)
class Pending:
    """A fault that was meant to be injected and is not known to be healed."""

    path: Path
    fault: str
    settings: dict[str, Any]
    undo: Undo
    expires: int  # mono, nanoseconds: from then on the guardian heals it
    boot: str
    injection: int = 0  # which of its scenario's faults; 0: an older harness did not say

    def known(self) -> Fault:
        """The fault itself. Errors: `Refused` where it cannot be read, or is of another drdrill."""
        return table.of(self.fault, self.settings)


def write(folder: Path, fault: Fault, undo: Undo, *, injection: int, ttl: timedelta | None = None) -> Path:
    """Put it on disk; when this returns, it survives a power cut. `ttl`: shorter than the fault's own."""
    where = folder / FOLDER
    where.mkdir(exist_ok=True)
    path = where / f"{len(list(where.iterdir())):03d}-{fault.name}.json"
    content = {
        "fault": fault.name,
        "injection": injection,
        "settings": table.to_disk(fault),
        "undo": undo,
        "expires": clock.mono() + int((ttl or fault.ttl) / timedelta(microseconds=1)) * 1000,
        "boot": clock.boot(),
    }
    if (beside := _beside_the_stack(path)) is not None:
        beside.parent.mkdir(exist_ok=True)
        control_files.leave(beside, content)
    control_files.leave(path, content)
    return path


def earlier_scenario(pending: Pending, lines: Sequence[Line]) -> str:
    """Whose fault it is, where another scenario has begun since; empty for one of the last that began.

    The file's number says how many faults of the run were injected before it.
    """
    begun, injected, found = "", 0, ""
    number = int(pending.path.name[:3])
    for line in lines:
        if line.kind == "scenario.begin":
            begun = str(line.data.get("scenario", ""))
        elif line.kind == "fault.intent":
            found = begun if injected == number else found
            injected += 1
    return "" if found == begun else found


def healed(path: Path) -> None:
    """Mark it healed."""
    if path.exists():
        path.rename(path.with_suffix(HEALED))
        sync_folder(path.parent)
    if (beside := _beside_the_stack(path)) is not None:
        beside.unlink(missing_ok=True)


def explain(path: Path, *, seen: str) -> None:
    """Beside a stack that stands and stays hurt: what was seen, and which command heals it once that is settled."""
    beside = _beside_the_stack(path)
    file = beside if beside is not None else path
    if file.parent.name == UNHEALED and (content := control_files.read(file)) is not None:
        control_files.leave(file, {**content, "seen": seen, "command": command(file.parent.parent, seen)})


def command(place: Path, seen: str = "") -> str:
    """With which a person goes on: heals what is left on a stack, once it is settled why it was not healed; or ends a
    stack that only a recovery could heal, for who would have recovered it has ended."""
    if only_a_recovery(seen):
        return f"drdrill stack down{option(place.parent)}"
    return heal_on(place)


def only_a_recovery(seen: str) -> bool:
    """Whether what was seen is what no healing brings back."""
    return BY_RECOVERY in seen


def what_to_do(command: str, seen: str) -> str:
    """The same in words."""
    if only_a_recovery(seen):
        return f"no healing brings back what only a recovery does: `{command}`, and bring up a new one"
    return f"settle that, then `{command}`"


def pending(folder: Path) -> list[Pending]:
    """What may still be hurt by a run, oldest first. What somebody else marks as healed meanwhile is left out.

    One that cannot be read is overdue: nobody knows how to heal it.
    """
    return _read(folder / FOLDER)


def left_on(place: Path) -> list[Pending]:
    """What runs have left hurt on a stack that stands, in the order of their ids."""
    return _read(place / UNHEALED)


def _read(where: Path) -> list[Pending]:
    found = []
    known = {field.name for field in fields(Pending)} - {"path"}
    for path in sorted(where.glob("*.json")):
        said = control_files.read(path)
        if said is None and not path.exists():
            continue
        with suppress(TypeError):
            found.append(Pending(path=path, **{key: value for key, value in (said or {}).items() if key in known}))
            continue
        name = path.stem.rpartition("-")[2]
        found.append(Pending(path=path, fault=name, settings={}, undo={}, expires=0, boot=""))
    return found


def _beside_the_stack(path: Path) -> Path | None:
    """Its file beside the stack that stands; None where the run has made its own, which goes with the run."""
    folder = path.parent.parent
    place = stands_on(folder)
    run = folder.name.removesuffix(UNFINISHED)
    return place / UNHEALED / f"{run}-{path.name}" if place else None


def settings(fault: Fault) -> dict[str, Any]:
    """The fault's fields as a journal says them."""
    found = {field.name: getattr(fault, field.name) for field in fields(fault)}
    return {name: str(value) if isinstance(value, timedelta) else value for name, value in found.items()}
