"""A zone is gone whole, as by a power cut: every process of it at one instant, and its network is silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.network import Powered
from harness.stacks.needs import Zones
from harness.system.clock import Moment


@dataclass(frozen=True)
class KillZone:
    zone: str
    needs: ClassVar[tuple[Any, ...]] = (Powered, Cluster, Zones(1))
    name = "kill_zone"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        need(stack, Powered)
        components = _probes.of_zone(stack, self.zone)
        if not need(stack, Powered).has_power(self.zone):
            raise NotReady(f"zone {self.zone} has no power, so it cannot be hurt", hint="`drdrill heal`")
        return {"zone": self.zone, "components": components}

    def affects(self, undo: Undo) -> list[str]:
        return [f"zone {undo['zone']}", *undo["components"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(stack, Powered).cut_power(undo["zone"])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Nothing of it runs. Where a zone is a network, nobody is told so: a connection is not even refused."""
        zone, components = undo["zone"], undo["components"]
        if need(stack, Powered).has_power(zone) or _probes.still_running(stack, components):
            return ""
        if (said := _probes.asked_at(_probes.member_of(stack, zone)).said()) == "taken":
            return ""
        return f"zone {zone} has no power: {', '.join(components)} do not run, and a connection is {said}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        need(stack, Powered).restore_power(undo["zone"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        zone = undo["zone"]
        if not need(stack, Powered).has_power(zone):
            return f"zone {zone} has no power"
        return _probes.not_running(stack, undo["components"]) or _probes.silent(stack, zone)

    def lets_back(self, undo: Undo) -> list[str]:
        return list(undo["components"])
