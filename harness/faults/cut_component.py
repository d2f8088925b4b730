"""A component is cut off by itself: alive, and unreachable both ways without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import Unable
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Asked, Severable
from harness.system.clock import Moment


@dataclass(frozen=True)
class CutComponent:
    component: str
    needs: ClassVar[tuple[Any, ...]] = (Severable, Asked)
    name = "cut_component"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `Unable` where it cannot be cut off, or nobody can ask it, so that there could be no proof."""
        found = _probes.running(stack, self.component)
        need(found, Severable)
        if _probes.asked_at(need(found, Asked)).said() == "silent":
            raise Unable(
                f"{self.component} is silent as it is, so that it is cut off could not be proved",
                hint="look at it from where the drill stands: it has to take a connection",
            )
        return {"component": self.component}

    def affects(self, undo: Undo) -> list[str]:
        return [undo["component"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `Unable` where this machine cannot; then nothing is hurt."""
        return need(_probes.component(stack, undo["component"]), Severable).cut()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Silent from outside, and alive: what does not run is dead, not cut off."""
        name = undo["component"]
        found = _probes.component(stack, name)
        if not found.running() or _probes.asked_at(need(found, Asked)).said() != "silent":
            return ""
        return f"{name} is silent, and goes on"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(_probes.component(stack, undo["component"]), Severable).join()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A connection is taken, or refused: either is an answer of it. One that does not run gives none."""
        name = undo["component"]
        found = _probes.component(stack, name)
        if not found.running():
            return f"{name} does not run"
        return f"{name} is silent" if _probes.asked_at(need(found, Asked)).said() == "silent" else ""

    def lets_back(self, undo: Undo) -> list[str]:
        return [undo["component"]]
