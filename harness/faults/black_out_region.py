"""A region is gone whole, as by a blackout: all of its zones and its edge at one instant, and its network is silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.faults import Undo, _probes
from harness.stacks import Stack, regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Fenced, Standby
from harness.stacks.capabilities.regions import RegionFence, RegionPowered
from harness.stacks.needs import Regions
from harness.system.clock import Moment


@dataclass(frozen=True)
class BlackOutRegion:
    """Its healing lets no second database lead: one that led is back as a copy, or stays fenced. So it is asked there
    who leads, and not before, for a region without power can say nothing."""

    region: str
    needs: ClassVar[tuple[Any, ...]] = (RegionPowered, RegionFence, Standby, Cluster, Fenced, Startable, Regions(2))
    name = "black_out_region"
    ttl = timedelta(minutes=20)
    harms_data = True  # what the other region had not received is gone
    logical = False
    back_within = timedelta(minutes=3)  # it is cloned anew, where it has to be

    def prepare(self, stack: Stack) -> Undo:
        components = regional.parts(stack, self.region)
        if not need(stack, RegionPowered).region_has_power(self.region):
            raise NotReady(f"region {self.region} has no power, so it cannot be hurt", hint="`drdrill heal`")
        return {"region": self.region, "components": components}

    def affects(self, undo: Undo) -> list[str]:
        return list(undo["components"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(stack, RegionPowered).cut_region_power(undo["region"])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Nothing of it runs, and nobody outside is taken a connection from."""
        name, components = undo["region"], undo["components"]
        if need(stack, RegionPowered).region_has_power(name) or _probes.still_running(stack, components):
            return ""
        said = _probes.of_region(stack, name)
        if "taken" in said.values():
            return ""
        heard = ", ".join(dict.fromkeys(said.values()))
        return f"region {name} has no power: {', '.join(components)} do not run, and a connection is {heard}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        need(stack, RegionPowered).restore_region_power(undo["region"])
        regional.bring_back(stack, undo["region"])
        regional.let_one_lead(stack)

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        name = undo["region"]
        if not need(stack, RegionPowered).region_has_power(name):
            return f"region {name} has no power"
        return (
            regional.why_fenced(stack, name)
            or _probes.not_running(stack, undo["components"])
            or regional.several_write(stack)
            or regional.nobody_is_to_lead(stack)
        )
