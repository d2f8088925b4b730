"""A load balancer dies: the active one, through which customers come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable, Startable
from harness.stacks.capabilities.entrance import Balanced
from harness.system.clock import Moment


@dataclass(frozen=True)
class KillLoadBalancer:
    """`which`: "active" is the first of the entrance that runs; otherwise a load balancer's name."""

    which: str = "active"
    needs: ClassVar[tuple[Any, ...]] = (Balanced, Killable, Startable)
    name = "kill_load_balancer"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """Which one that is now: healing must hit the same, when another has become the active one."""
        if self.which != "active":
            return {"balancer": _probes.running(stack, self.which).name}
        for balancer in need(stack, Balanced).balancers:
            if balancer.running():
                return {"balancer": balancer.name}
        raise NotReady("no load balancer runs", hint="read their logs")

    def affects(self, undo: Undo) -> list[str]:
        return [undo["balancer"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(_probes.component(stack, undo["balancer"]), Killable).kill()

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        name = undo["balancer"]
        door = _probes.door(stack, name)
        if _probes.component(stack, name).running() or door is None or door.said() == "taken":
            return ""
        return f"{name} does not run, and a connection to its address {door.address} is {door.said()}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        if not (found := _probes.component(stack, undo["balancer"])).running():
            need(found, Startable).start()

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        return _probes.not_running(stack, [undo["balancer"]])
