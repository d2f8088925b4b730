"""What of a stack is not the real thing, so that no reader has to guess it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Emulated(Protocol):
    """A stack of which some parts only speak the protocol of the real service."""

    @property
    def simulated(self) -> Sequence[str]:
        """A sentence about each, with its version; it says that it is simulated."""
