"""Components die at once: one process, or all that runs on a host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable, Startable
from harness.system.clock import Moment


@dataclass(frozen=True)
class KillComponent:
    """SIGKILL to each of `names`, and to all that it has started."""

    names: tuple[str, ...]
    needs: ClassVar[tuple[Any, ...]] = (Killable, Startable)
    name = "kill_component"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        for name in self.names:
            _probes.running(stack, name)
        return {"names": list(self.names)}

    def affects(self, undo: Undo) -> list[str]:
        return list(undo["names"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        return _probes.kill(stack, [_probes.component(stack, name) for name in undo["names"]])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """None of them runs, and where one had a door nobody opens."""
        if _probes.still_running(stack, undo["names"]):
            return ""
        doors = {name: _probes.door(stack, name) for name in undo["names"]}
        said = {name: door.said() for name, door in doors.items() if door is not None}
        if "taken" in said.values():
            return ""
        seen = [f"{name} does not run" + (f" (a connection is {said[name]})" if name in said else "") for name in doors]
        return ", ".join(seen)

    def heal(self, stack: Stack, undo: Undo) -> None:
        """What runs already, because somebody else has started it, is left alone."""
        for name in undo["names"]:
            if not (found := _probes.component(stack, name)).running():
                need(found, Startable).start()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        return _probes.not_running(stack, undo["names"])

    def lets_back(self, undo: Undo) -> list[str]:
        return list(undo["names"])
