"""The link of a zone is slow: little bandwidth, and latency and loss where the kernel can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo, _probes
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Queried
from harness.stacks.capabilities.network import Slowable, Slowness
from harness.stacks.needs import Zones

TRANSFER = 2  # seconds that a transfer takes by the bandwidth that is left
FLOW = 2  # at least so many times as long as before
MOST = 60  # seconds
TRIPS = (1, 1, 1)  # bytes: each is a round trip


@dataclass(frozen=True)
class SlowLink:
    """`kilobytes` a second, `latency`, and `loss` in percent of the packets; 0 leaves a figure alone."""

    zone: str
    kilobytes: int = 0
    latency: timedelta = timedelta(0)
    loss: float = 0.0
    needs: ClassVar[tuple[Any, ...]] = (Slowable, Cluster, Queried, Zones(1))
    name = "slow_link"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """How long a transfer out of the zone, and a round trip, take now."""
        need(stack, Slowable)
        components = _probes.of_zone(stack, self.zone)
        trip, transfer = self._measure(stack, self.zone)
        return {"zone": self.zone, "components": components, "trip": trip, "transfer": transfer}

    def affects(self, undo: Undo) -> list[str]:
        """Nothing that an alert must name: the zone serves, slowly."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> None:
        """Errors: `Unable` on a machine that can do nothing of it; then nothing is hurt."""
        need(stack, Slowable).slow(undo["zone"], self._how())

    def left_out(self, stack: Stack) -> list[str]:
        """What this machine's kernel could not do of it, in words, while the link is slow; else nothing."""
        if not need(stack, Slowable).slowed(self.zone):
            return []
        return list(need(stack, Slowable).slow(self.zone, self._how()))  # said again, for it is harmless when repeated

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """The kernel says so, and a transfer or a round trip across the link takes longer than it did."""
        said = need(stack, Slowable).slowed(undo["zone"])
        if not said:
            return ""
        trip, transfer = self._measure(stack, undo["zone"])
        seen = []
        if self.latency and trip >= max(undo["trip"], self.latency.total_seconds() / 2):
            seen.append(f"a round trip takes {trip * 1000:.1f} ms and took {undo['trip'] * 1000:.1f} ms")
        if self.kilobytes and transfer >= max(undo["transfer"] * FLOW, TRANSFER / 2):
            moved = f"{self.kilobytes * TRANSFER} kB out of the zone"
            seen.append(f"{moved} take {transfer:.2f} s and took {undo['transfer']:.2f} s")
        if not seen and (self.latency or self.kilobytes):
            return ""
        return f"the kernel says of the link of zone {undo['zone']}: {said}" + "".join(f"; {one}" for one in seen)

    def heal(self, stack: Stack, undo: Undo) -> None:
        need(stack, Slowable).unslow(undo["zone"])

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """The kernel says at which speed the link is held; it says nothing where it is not."""
        said = need(stack, Slowable).slowed(undo["zone"])
        return f"the kernel says of the link of zone {undo['zone']}: {said}" if said else ""

    def _how(self) -> Slowness:
        return Slowness(kilobytes=self.kilobytes, latency=self.latency, loss=self.loss)

    def _measure(self, stack: Stack, zone: str) -> tuple[float, float]:
        """Seconds of a round trip (the best of three), and of a transfer, to the zone's database server; `MOST` where
        it broke off."""
        size = max(1, self.kilobytes * TRANSFER) * 1000
        taken = need(stack, Queried).answers(_probes.member_of(stack, zone), (*TRIPS, size))
        trips, transfers = taken[: len(TRIPS)], taken[len(TRIPS) :]
        return min(trips, default=float(MOST)), transfers[0] if transfers else float(MOST)
