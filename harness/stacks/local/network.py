"""Where the parts of a stack stand: an address for each, and how a process is put into a zone.

On the levels with namespaces every zone is a network of its own behind a bridge; where there are several regions, each
has a bridge, and a trunk to the one that stands outside of them all. On loopback zones and regions are addresses of
127/8 and nothing more: they cannot be cut from each other.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from harness.errors import Unable
from harness.stacks.capabilities.network import Slowness
from harness.stacks.local import slowing
from harness.stacks.local.bridge import STORE, Bridge
from harness.stacks.local.layout import OUTSIDE, REGIONS, WATCH
from harness.stacks.local.sandbox import NO_NETWORKS, to_zones_apart
from harness.stacks.parts.layout import Layout
from harness.system.clock import Moment, spanning
from harness.system.command import Process, reap

Part = Literal["", "consensus store"]


class Addresses(Protocol):
    """Of one region, and how a process is put where they are."""

    @property
    def entrances(self) -> Sequence[str]:
        """Where load balancers stand."""

    @property
    def watch(self) -> str:
        """Where alerts go."""

    @property
    def storage(self) -> str: ...
    def address(self, zone: str) -> str: ...
    def store_address(self, zone: str) -> str:
        """Of the zone's etcd."""

    def inside(self, place: str) -> list[str]:
        """The words before a command that must run in the zone, or at the region's edge. They end in an exec: the pid
        stays."""


class Network(Protocol):
    """Of one stack, and what can be done to it. Where it cannot be, it is `Unable`."""

    def at(self, host: int) -> str:
        """The address with that last number."""

    def store_at(self, host: int) -> str:
        """Of the etcd in the zone with that last number."""

    def inside(self, place: str) -> list[str]:
        """As `Addresses` has it."""

    def cut(self, zone: str) -> Moment | None:
        """Drop silently whatever goes between the zone and the others. Errors: `Unable`."""

    def join(self, zone: str) -> Moment | None:
        """End the cut; harmless where there is none."""

    def cut_link(self, one: str, other: str, *, part: Part) -> Moment | None:
        """Two zones do not see each other any more, or their etcds do not. Errors: `Unable`."""

    def join_link(self, one: str, other: str) -> Moment | None:
        """Harmless where there is no cut."""

    def slow(self, zone: str, how: Slowness) -> list[str]:
        """Make a zone's link slow, both ways; returns what could not be. Errors: `Unable`."""

    def unslow(self, zone: str) -> None:
        """Harmless where it is not slow."""

    def slowed(self, zone: str) -> str:
        """How it is slowed, as the kernel says; empty where it is not."""

    def flapping(self, zone: str) -> list[str]:
        """The program, and its first words, that makes a zone's link come and go. Errors: `Unable`."""

    def cut_region(self, name: str) -> Moment | None:
        """Drop silently whatever goes between the region and all else. Errors: `Unable`."""

    def join_region(self, name: str) -> Moment | None:
        """Harmless where there is no cut."""

    def close(self) -> None: ...
    def saved(self) -> dict[str, Any]:
        """JSON, from which `saved_network` makes the same network in another process."""


@dataclass(frozen=True)
class Area:
    """Fills `Addresses`: those of one region."""

    network: Network
    layout: Layout

    @property
    def entrances(self) -> Sequence[str]:
        return [self.network.at(host) for host in self.layout.balancers.values()]

    @property
    def watch(self) -> str:
        return self.network.at(WATCH)

    @property
    def storage(self) -> str:
        return self.network.at(self.layout.storage)

    def address(self, zone: str) -> str:
        return self.network.at(self.layout.zones[zone])

    def store_address(self, zone: str) -> str:
        return self.network.store_at(self.layout.zones[zone])

    def inside(self, place: str) -> list[str]:
        return self.network.inside(place)


@dataclass(frozen=True)
class Bridged:
    """Each zone, and where there are several regions each edge, a network namespace, held by a process."""

    bridge: Bridge
    regions: Sequence[Layout]
    holders: dict[str, Process]

    def at(self, host: int) -> str:
        return self.bridge.address(host)

    def store_at(self, host: int) -> str:
        return self.bridge.address(host + STORE)

    def _host(self, zone: str) -> int:
        return next(one.zones[zone] for one in self.regions if zone in one.zones)

    def inside(self, place: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.holders[place].pid}/ns/net", "--"]

    def cut(self, zone: str) -> Moment | None:
        return self.bridge.cut(zone)

    def join(self, zone: str) -> Moment | None:
        return self.bridge.join(zone)

    def cut_link(self, one: str, other: str, *, part: Part) -> Moment | None:
        return spanning(
            self.bridge.blind(self.holders[here].pid, self._host(there), store_alone=part == "consensus store")
            for here, there in ((one, other), (other, one))
        )

    def join_link(self, one: str, other: str) -> Moment | None:
        return spanning(
            self.bridge.unblind(self.holders[here].pid, self._host(there))
            for here, there in ((one, other), (other, one))
        )

    def slow(self, zone: str, how: Slowness) -> list[str]:
        return slowing.slow(self.bridge.port(zone), self.holders[zone].pid, how)

    def unslow(self, zone: str) -> None:
        slowing.unslow(self.bridge.port(zone), self.holders[zone].pid)

    def slowed(self, zone: str) -> str:
        return slowing.slowed(self.bridge.port(zone), self.holders[zone].pid)

    def flapping(self, zone: str) -> list[str]:
        return [sys.executable, "-P", "-m", "harness.stacks.local.flap", str(self.bridge.number), zone]

    def cut_region(self, name: str) -> Moment | None:
        return self.bridge.cut_region(_trunk(self.regions, name))

    def join_region(self, name: str) -> Moment | None:
        return self.bridge.join_region(_trunk(self.regions, name)) if len(self.regions) > 1 else None

    def close(self) -> None:
        """Outside of its sandbox there is nothing to do: the sandbox's end has removed it."""
        if any(holder.running() for holder in self.holders.values()):
            end(self.holders.values())
            self.bridge.drop()

    def saved(self) -> dict[str, Any]:
        holders = {zone: [holder.pid, holder.started] for zone, holder in self.holders.items()}
        return {"kind": "bridged", "number": self.bridge.number, "regions": len(self.regions), "holders": holders}


@dataclass(frozen=True)
class Loopback:
    """Addresses of a /24 of 127/8 that belongs to this stack alone, by a port that `holder` keeps bound."""

    prefix: str  # "127.93.14"
    regions: Sequence[Layout]
    holder: Process

    def at(self, host: int) -> str:
        return f"{self.prefix}.{host}"

    def store_at(self, host: int) -> str:
        return self.at(host)

    def inside(self, place: str) -> list[str]:
        return []

    def cut(self, zone: str) -> None:
        raise _unable(f"zone {zone} cannot be cut")

    def join(self, zone: str) -> None:
        """Nothing was cut."""

    def cut_link(self, one: str, other: str, *, part: Part) -> None:
        raise _unable(f"zones {one} and {other} cannot be cut from each other")

    def join_link(self, one: str, other: str) -> None:
        """Nothing was cut."""

    def slow(self, zone: str, how: Slowness) -> list[str]:
        raise _unable(f"the link of zone {zone} cannot be made slow")

    def unslow(self, zone: str) -> None:
        """Nothing was slow."""

    def slowed(self, zone: str) -> str:
        return ""

    def flapping(self, zone: str) -> list[str]:
        raise _unable(f"the link of zone {zone} cannot come and go")

    def cut_region(self, name: str) -> None:
        raise _unable(f"the region {name} cannot be cut off")

    def join_region(self, name: str) -> None:
        """Nothing was cut."""

    def close(self) -> None:
        end([self.holder])

    def saved(self) -> dict[str, Any]:
        holder = [self.holder.pid, self.holder.started]
        return {"kind": "loopback", "prefix": self.prefix, "regions": len(self.regions), "holder": holder}


def _trunk(regions: Sequence[Layout], name: str) -> int:
    """The number of a region's trunk. Errors: `Unable` where there is none."""
    if len(regions) == 1:
        raise Unable(
            f"the region {name} cannot be cut off: the stack has no other", hint="`drdrill stack up --regions 2`"
        )
    return 1 + [one.name for one in regions].index(name)


def _unable(what: str) -> Unable:
    return Unable(f"{what}: {NO_NETWORKS}", hint=to_zones_apart())


def saved_network(saved: dict[str, Any]) -> Network:
    """The network of a stack that another process started."""
    regions = REGIONS[: saved.get("regions", 1)]
    if saved["kind"] == "loopback":
        return Loopback(saved["prefix"], regions, Process(*saved["holder"]))
    holders = {zone: Process(*holder) for zone, holder in saved["holders"].items()}
    return Bridged(Bridge(saved["number"], on_the_bridge(regions)), regions, holders)


def on_the_bridge(regions: Sequence[Layout]) -> tuple[int, ...]:
    """What stands on the bridge itself: with one region also what is at its edge."""
    if len(regions) > 1:
        return OUTSIDE
    return (1, *(host for one in regions for host in one.balancers.values()), WATCH, regions[0].storage)


def end(holders: Iterable[Process]) -> None:
    for holder in holders:
        holder.send(signal.SIGKILL)
    reap()
