"""A component hangs instead of dying: frozen, its port still open. A check that only connects notices nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.errors import Unable
from harness.faults import Undo
from harness.faults import _probes as _look
from harness.stacks import Pausable, Stack


@dataclass(frozen=True)
class PauseComponent:
    component: str
    name = "pause_component"
    lives = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `Unable` where it cannot be frozen, or nobody can ask it, so that there could be no proof."""
        found = _look.running(stack, self.component)
        if not isinstance(found, Pausable):
            raise _look.unable(stack, f"pause {self.component}")
        if _look.door(stack, self.component) is None:
            hint = "an API, a database server or a load balancer can be asked"
            raise Unable(f"nothing can ask {self.component}, so that it hangs could not be proved", hint=hint)
        return {"component": self.component}

    def hurts(self, undo: Undo) -> list[str]:
        return [undo["component"]]

    def inject(self, stack: Stack, undo: Undo) -> None:
        found = _look.component(stack, undo["component"])
        assert isinstance(found, Pausable)
        found.pause()

    def bit(self, stack: Stack, undo: Undo) -> str:
        name = undo["component"]
        door = _look.door(stack, name)
        if door is None or not _look.component(stack, name).running() or door.answers():
            return ""
        return f"{name} runs, a connection is {door.said()}, and no request is answered within {_look.PATIENCE:g} s"

    def heal(self, stack: Stack, undo: Undo) -> None:
        found = _look.component(stack, undo["component"])
        if isinstance(found, Pausable):
            found.resume()
