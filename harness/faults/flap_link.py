"""A link that comes and goes every few seconds, by itself, until it is settled or its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.network import Flappable
from harness.stacks.needs import Zones
from harness.system import wait
from harness.system.clock import Moment

BEGINS = timedelta(seconds=10)


@dataclass(frozen=True)
class FlapLink:
    """The link of `zone` is `down`, then `up`, and so on, for `lasting`."""

    zone: str
    down: timedelta
    up: timedelta
    lasting: timedelta
    needs: ClassVar[tuple[Any, ...]] = (Flappable, Cluster, Zones(1))
    name = "flap_link"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        need(stack, Flappable)
        return {"zone": self.zone, "components": _probes.of_zone(stack, self.zone)}

    def affects(self, undo: Undo) -> list[str]:
        return [f"zone {undo['zone']}", *undo["components"]]

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Returns when the link has gone down. Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        moment = need(stack, Flappable).flap(undo["zone"], down=self.down, up=self.up, lasting=self.lasting)
        wait.until(
            lambda: need(stack, Flappable).flaps(undo["zone"]),
            what=f"the link of zone {undo['zone']} goes down",
            within=BEGINS,
            recorder=stack.commands.recorder,
        )
        return moment

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        count = need(stack, Flappable).flaps(undo["zone"])
        return (
            f"the link of zone {undo['zone']} comes and goes; times it has gone down so far: {count}" if count else ""
        )

    def heal(self, stack: Stack, undo: Undo) -> Moment | None:
        return need(stack, Flappable).settle(undo["zone"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """Nothing makes it come and go any more, and the zone answers."""
        zone = undo["zone"]
        if need(stack, Flappable).flaps(zone):
            return f"the link of zone {zone} comes and goes"
        return _probes.silent(stack, zone)

    def lets_back(self, undo: Undo) -> list[str]:
        return list(undo["components"])
