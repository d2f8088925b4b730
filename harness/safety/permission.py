"""Whether a stack lets itself be hurt: asked before anything of a fault is written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from harness.faults import Fault, Undo
from harness.stacks import Stack


@runtime_checkable
class Permits(Protocol):
    """A stack whose owner says what a drill may do to it."""

    def must_permit(self, fault: str, affects: Sequence[str]) -> None:
        """Whether a fault may reach these: components, and zones as `zone a`. Errors: `Refused`, with who says so."""


def must_permit(stack: Stack, fault: Fault, undo: Undo) -> None:
    """Errors: `Refused`; nothing was hurt then. A stack whose owner says nothing is the run's to hurt."""
    if isinstance(stack, Permits):
        stack.must_permit(fault.name, fault.affects(undo))
