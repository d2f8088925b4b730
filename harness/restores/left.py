"""What a killed run was restoring: its servers are ended and its places removed, by their marks."""

from __future__ import annotations

from pathlib import Path

from harness.errors import DrillError, quietly
from harness.restores.described import Backups
from harness.restores.places import places_of
from harness.restores.programs.left import sweep


def remove_places(said: Backups, *, run: str, beside: Path) -> None:
    """Of that run; nothing where it has left none. Errors: `DrillError` where something will not go."""
    folder = places_of(said, run=run, beside=beside)
    if not folder.is_dir():
        return
    left = sweep(folder)
    quietly(folder.rmdir)
    if folder.exists() and any(folder.iterdir()):
        raise DrillError(
            f"a place of run {run} is not removed: {'; '.join(left) or folder}", hint=f"remove {folder} by hand"
        )
