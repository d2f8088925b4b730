"""What a stack of ours that this process has not started has left of what it wrote down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks.kinds import SAVED
from harness.system import clock, control_files


def secrets_left(folder: Path) -> list[str] | None:
    """The passwords, as far as it had come to write them down; None where it had not."""
    try:
        return list((control_files.read(folder / SAVED) or {})["roles"].values())
    except (OSError, KeyError, AttributeError, TypeError):
        return None


def alive(folder: Path) -> dict[str, Any]:
    """What it wrote down, where it can still be alive.

    Errors: `Refused` where none was started there, or where that was on another machine or before it was started anew.
    """
    saved = control_files.read(folder / SAVED)
    if saved is None:
        raise Refused(f"no stack was started in {folder}", hint="`drdrill stack up` starts one")
    if saved.get("boot", clock.boot()) != clock.boot():
        raise dead("it was started on another machine, or before this one was started anew")
    return saved


def dead(why: str) -> Refused:
    """The error of whoever wants to go where a stack stood."""
    hint = "`drdrill stack down` removes what is left, `drdrill stack up` makes a new one"
    return Refused(f"the stack is dead: {why}", hint=hint)
