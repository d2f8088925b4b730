"""A zone is cut off: alive, and unreachable both ways without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.faults import Undo
from harness.faults import _probes as _look
from harness.stacks import Divisible, Stack


@dataclass(frozen=True)
class CutZone:
    zone: str
    name = "cut_zone"
    lives = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        if not isinstance(stack, Divisible):
            raise _look.unable(stack, "cut a zone off")
        return {"zone": self.zone, "components": _look.of_zone(stack, self.zone)}

    def hurts(self, undo: Undo) -> list[str]:
        return [f"zone {undo['zone']}", *undo["components"]]

    def inject(self, stack: Stack, undo: Undo) -> None:
        """Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        assert isinstance(stack, Divisible)
        stack.cut(undo["zone"])

    def bit(self, stack: Stack, undo: Undo) -> str:
        """Silent from outside, and alive inside: a zone in which nothing runs is dead, not cut off."""
        zone = undo["zone"]
        alive = _look.still_running(stack, undo["components"])
        if not alive or _look.database_door(_look.member_of(stack, zone)).said() != "silent":
            return ""
        return f"zone {zone} is silent, and {', '.join(alive)} go on in it"

    def heal(self, stack: Stack, undo: Undo) -> None:
        if isinstance(stack, Divisible):
            stack.join(undo["zone"])
