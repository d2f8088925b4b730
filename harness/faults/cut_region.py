"""A region is cut off from all the rest: alive, and unreachable both ways without a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo, _probes
from harness.stacks import Stack, regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.capabilities.database import Cluster, Fenced, Standby
from harness.stacks.capabilities.regions import RegionDivisible, RegionFence
from harness.stacks.needs import Regions
from harness.system.clock import Moment


@dataclass(frozen=True)
class CutRegion:
    """Its healing lets no second database lead: where another region has led meanwhile, its servers are fenced before
    anybody reaches them again."""

    region: str
    needs: ClassVar[tuple[Any, ...]] = (RegionDivisible, RegionFence, Standby, Cluster, Fenced, Startable, Regions(2))
    name = "cut_region"
    ttl = timedelta(minutes=20)
    harms_data = False
    logical = False
    back_within = timedelta(minutes=3)  # it is cloned anew, where it has to be

    def prepare(self, stack: Stack) -> Undo:
        need(stack, RegionDivisible)
        return {"region": self.region, "components": regional.parts(stack, self.region)}

    def affects(self, undo: Undo) -> list[str]:
        return list(undo["components"])

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        return need(stack, RegionDivisible).cut_region(undo["region"])

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Silent from outside, and alive inside: a region in which nothing runs is dead, not cut off."""
        name = undo["region"]
        alive = _probes.still_running(stack, undo["components"])
        if not alive or set(_probes.of_region(stack, name).values()) != {"silent"}:
            return ""
        return f"region {name} is silent, and {', '.join(alive)} go on in it"

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        """The fence works through the cut: it is out of band."""
        name = undo["region"]
        if regional.other(stack, name).name in regional.writers(stack):
            need(stack, RegionFence).fence_region(name)
        joined = need(stack, RegionDivisible).join_region(name)
        regional.bring_back(stack, name)
        regional.let_one_lead(stack)
        return joined

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A connection from outside is taken, or refused: either is an answer out of the region."""
        name = undo["region"]
        if "silent" in _probes.of_region(stack, name).values():
            return f"region {name} is silent"
        return (
            regional.why_fenced(stack, name)
            or _probes.not_running(stack, undo["components"])
            or regional.several_write(stack)
            or regional.nobody_is_to_lead(stack)
        )
