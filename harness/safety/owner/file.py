"""The stack file of a run, where it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stacks.kinds import Kind
from harness.system.later import fetch

if TYPE_CHECKING:
    from harness.stacks.attached.file.described import StackFile


def said_of(kind: Kind) -> StackFile | None:
    """None where its stacks are the run's to hurt. What reads it is imported for one that has a file.

    Errors: `Refused`, with every problem of it.
    """
    if kind.file is None:
        return None
    found: StackFile = fetch("harness.stacks.attached.file.read:load")(kind.file, base=kind.base)
    return found
