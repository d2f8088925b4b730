"""A component is cut off: it goes on, nobody reaches it, and it reaches nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import Unable
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import lacking, need
from harness.stacks.capabilities.components import Asked, Detachable
from harness.system.clock import Moment


@dataclass(frozen=True)
class CutComponent:
    component: str
    needs: ClassVar[tuple[Any, ...]] = (Detachable, Asked)
    name = "cut_component"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `Unable` where it cannot be cut off, or nobody can ask it, so that there could be no proof."""
        found = _probes.running(stack, self.component)
        need(found, Detachable)
        door, unproved = _probes.door(stack, self.component), "so that it is cut off could not be proved"
        if door is None:
            hint = "a component that says where it is asked can be"
            raise Unable(f"nothing can ask {self.component}, {unproved}", hint=hint)
        if door.said() == "silent":
            hint = "look at it from where the drill stands: it has to take a connection"
            raise Unable(f"{self.component} is silent as it is, {unproved}", hint=hint)
        return {"component": self.component}

    def affects(self, undo: Undo) -> list[str]:
        return [undo["component"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(_probes.component(stack, undo["component"]), Detachable).cut()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Silent from outside, and running: what has died is not cut off."""
        name = undo["component"]
        door = _probes.door(stack, name)
        if door is None or not _probes.component(stack, name).running() or door.said() != "silent":
            return ""
        return f"{name} runs, and a connection to it is silent"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(_probes.component(stack, undo["component"]), Detachable).join()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A connection is taken, or refused: either is an answer."""
        name = undo["component"]
        door = _probes.door(stack, name)
        if door is None:
            raise lacking(_probes.component(stack, name), Asked)
        return f"{name} is silent" if door.said() == "silent" else ""

    def lets_back(self, undo: Undo) -> list[str]:
        return [undo["component"]]
