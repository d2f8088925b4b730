"""What a killed stack of ours has left of what it wrote down."""

from __future__ import annotations

from pathlib import Path

from harness.errors import Refused
from harness.stacks.parts import lifecycle


def secrets_left(folder: Path) -> list[str] | None:
    """The passwords, as far as it had come to write them down; None where it had not."""
    try:
        return list(lifecycle.saved(folder)["roles"].values())
    except (Refused, KeyError, AttributeError, TypeError):
        return None
