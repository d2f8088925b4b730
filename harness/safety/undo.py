"""Undo before do: what heals a fault is on disk, fsynced, before the fault is injected."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.faults import Fault, Undo, table
from harness.system import clock
from harness.system.durable import sync_folder

FOLDER = "undo"
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


def write(folder: Path, fault: Fault, undo: Undo, *, injection: int) -> Path:
    """Put it on disk; when this returns, it survives a power cut."""
    where = folder / FOLDER
    where.mkdir(exist_ok=True)
    path = where / f"{len(list(where.iterdir())):03d}-{fault.name}.json"
    content = {
        "fault": fault.name,
        "injection": injection,
        "settings": table.to_disk(fault),
        "undo": undo,
        "expires": clock.mono() + int(fault.ttl / timedelta(microseconds=1)) * 1000,
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
    }
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        json.dump(content, file, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(where)
    return path


def healed(path: Path) -> None:
    """Mark it healed."""
    if path.exists():
        path.rename(path.with_suffix(HEALED))
        sync_folder(path.parent)


def pending(folder: Path) -> list[Pending]:
    """What may still be hurt, oldest first. What somebody else marks as healed meanwhile is left out.

    One that cannot be read is overdue: its stack must go.
    """
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        with suppress(FileNotFoundError):
            try:
                found.append(Pending(path=path, **json.loads(path.read_text())))
            except (ValueError, TypeError):
                name = path.stem.partition("-")[2]
                found.append(Pending(path=path, fault=name, settings={}, undo={}, expires=0, boot=""))
    return found


def settings(fault: Fault) -> dict[str, Any]:
    """The fault's fields as a journal says them."""
    return {name: str(value) if isinstance(value, timedelta) else value for name, value in asdict(fault).items()}
