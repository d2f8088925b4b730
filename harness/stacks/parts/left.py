"""What a killed stack of ours has left of what it wrote down."""

from __future__ import annotations

from pathlib import Path

from harness.stacks.maker import SAVED
from harness.system import control_files


def secrets_left(folder: Path) -> list[str] | None:
    """The passwords, as far as it had come to write them down; None where it had not."""
    try:
        return list((control_files.read(folder / SAVED) or {})["roles"].values())
    except (OSError, KeyError, AttributeError, TypeError):
        return None
