"""A zone is cut off: alive, and unreachable both ways without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.network import Divisible
from harness.stacks.needs import Zones
from harness.system.clock import Moment


@dataclass(frozen=True)
class CutZone:
    zone: str
    needs: ClassVar[tuple[Any, ...]] = (Divisible, Cluster, Zones(1))
    name = "cut_zone"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        need(stack, Divisible)
        return {"zone": self.zone, "components": _probes.of_zone(stack, self.zone)}

    def affects(self, undo: Undo) -> list[str]:
        return [f"zone {undo['zone']}", *undo["components"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        return need(stack, Divisible).cut(undo["zone"])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Silent from outside, and alive inside: a zone in which nothing runs is dead, not cut off."""
        zone = undo["zone"]
        alive = _probes.still_running(stack, undo["components"])
        if not alive or _probes.asked_at(_probes.member_of(stack, zone)).said() != "silent":
            return ""
        return f"zone {zone} is silent, and {', '.join(alive)} go on in it"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(stack, Divisible).join(undo["zone"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A connection from outside is taken, or refused: either is an answer out of the zone."""
        return _probes.silent(stack, undo["zone"])

    def lets_back(self, undo: Undo) -> list[str]:
        return list(undo["components"])
