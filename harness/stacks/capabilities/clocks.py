"""Whose clocks stamp what comes into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

MONITORING, DATABASE = "monitoring", "database"  # whose clocks stamp what comes into the journal


@dataclass(frozen=True)
class Clock:
    """A clock of the stack that stamps what comes into the journal."""

    clock: str  # MONITORING or DATABASE
    offset: float  # seconds by which it is ahead of the journal's
    uncertainty: float  # seconds by which that may be more or less
    how: str  # how that is known


SAME_KERNEL = tuple(Clock(each, 0.0, 0.0, "the same kernel's clock") for each in (MONITORING, DATABASE))


@runtime_checkable
class Clocked(Protocol):
    """A stack that knows how far its clocks are from this machine's."""

    def clocks(self) -> Sequence[Clock]:
        """Those of which that is known."""
