"""Where the places of a run are made: whoever heals it removes them there."""

from __future__ import annotations

from pathlib import Path

from harness.restores.described import Backups


def places_of(said: Backups, *, run: str, beside: Path) -> Path:
    """In the folder that the stack file names, in one of the run's own; else beside the run."""
    return said.folder / f"drdrill-{run}" if said.folder else beside / "places"
