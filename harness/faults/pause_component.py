"""A component hangs instead of dying: frozen, its port still open. A check that only connects notices nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import DrillError, Unable
from harness.faults import LED, Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import find, lacking, need
from harness.stacks.capabilities.components import Asked, Pausable
from harness.stacks.capabilities.database import Fenced
from harness.stacks.capabilities.entrance import Balanced, ZoneServices
from harness.system.clock import Moment


@dataclass(frozen=True)
class PauseComponent:
    component: str
    needs: ClassVar[tuple[Any, ...]] = (Pausable, Asked | ZoneServices | Balanced)
    name = "pause_component"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Errors: `Unable` where it cannot be frozen, or nobody can ask it, so that there could be no proof."""
        found = _probes.running(stack, self.component)
        need(found, Pausable)
        if _probes.door(stack, self.component) is None:
            hint = "an API, a database server or a load balancer can be asked"
            raise Unable(f"nothing can ask {self.component}, so that it hangs could not be proved", hint=hint)
        return {"component": self.component, **_who_leads(stack)}

    def affects(self, undo: Undo) -> list[str]:
        return [undo["component"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        found = _probes.component(stack, undo["component"])
        return need(found, Pausable).pause()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        name = undo["component"]
        door = _probes.door(stack, name)
        if door is None or not _probes.component(stack, name).running() or door.answers():
            return ""
        return f"{name} runs, a connection is {door.said()}, and no request is answered within {_probes.PATIENCE:g} s"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        found = _probes.component(stack, undo["component"])
        return need(found, Pausable).resume()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """It answers a real request."""
        name = undo["component"]
        if not _probes.component(stack, name).running():
            return f"{name} does not run"
        door = _probes.door(stack, name)
        if door is None:
            raise lacking(_probes.component(stack, name), Asked)
        return "" if door.answers() else f"{name} answers no request"

    def lets_back(self, undo: Undo) -> list[str]:
        return [undo["component"]]


def _who_leads(stack: Stack) -> Undo:
    """Nothing where nobody can be asked: a copy that is frozen while it takes the lead goes on with it once thawed, and
    whoever heals sees by this that the lead has changed since."""
    cluster = find(stack, Fenced)
    try:
        return {} if cluster is None else {LED: cluster.holder()}
    except DrillError:
        return {}
