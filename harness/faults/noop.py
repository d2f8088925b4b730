"""Hurts nothing. It is there to prove that a fault that does not bite is never green."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo
from harness.stacks import Stack


@dataclass(frozen=True)
class Noop:
    needs: ClassVar[tuple[Any, ...]] = ()
    name = "noop"
    ttl = timedelta(minutes=10)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        return {}

    def affects(self, undo: Undo) -> list[str]:
        return []

    def inject(self, stack: Stack, undo: Undo) -> None:
        pass

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        return ""

    def heal(self, stack: Stack, undo: Undo) -> None:
        pass

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """Nothing was hurt, so there is nothing to look at."""
        return ""
