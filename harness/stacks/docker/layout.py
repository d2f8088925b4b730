"""Where everything of a container stack stands: regions, pods outside of them, and the last numbers of addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.stacks.parts.layout import Layout
from harness.stacks.parts.s3 import REGION

STORAGE, WATCH, CUSTOMERS, NAMES = "storage", "watch", "customers", "names"  # pods
BLOCK = 28  # bits of the block of addresses that all of a region lies in, where there are several
IN_ZONE = 21  # the number of a zone's components on the zone's own network


@dataclass(frozen=True)
class Places:
    """All of a stack. `outside`: pods in no region, and their numbers; `beyond`: the customers of a zone are so much
    above it; `zone_bits`: how large the network of a zone is."""

    regions: Sequence[Layout]
    outside: Mapping[str, int]
    beyond: int
    zone_bits: int

    @property
    def zones(self) -> Mapping[str, int]:
        return {zone: number for one in self.regions for zone, number in one.zones.items()}

    @property
    def alone(self) -> Mapping[str, int]:
        """The pods outside of the zones: entrances and storages of regions, and what is in none."""
        return {pod: number for one in self.regions for pod, number in edge(one).items()} | dict(self.outside)

    def region(self, name: str) -> Layout:
        return next(one for one in self.regions if one.name == name)

    def pods(self, name: str) -> Mapping[str, int]:
        """All pods of a region, those of its zones' customers among them."""
        one = self.region(name)
        customers = {f"customers-{zone}": number + self.beyond for zone, number in one.zones.items()}
        return {**one.zones, **customers, **edge(one)}

    def block(self, name: str, prefix: str) -> str:
        """The addresses of a region: all that is in it, and nothing else."""
        first = min(self.pods(name).values())
        return str(ipaddress.ip_network(f"{prefix}.{first}/{BLOCK}", strict=False))


def entrance(balancer: str) -> str:
    """The pod of a load balancer."""
    return balancer.replace("haproxy", "entrance")


def edge(one: Layout) -> dict[str, int]:
    """The pods of a region outside of its zones."""
    return {
        **{entrance(balancer): number for balancer, number in one.balancers.items()},
        one.own(STORAGE): one.storage,
    }


_ZONES, _BALANCERS = ("a", "b", "c"), ("haproxy-1", "haproxy-2")
_ALONE = Layout(REGION, {"a": 21, "b": 22, "c": 23}, _ZONES, dict(zip(_BALANCERS, (5, 6), strict=True)), 10)
_EAST = Layout(REGION, {"a": 17, "b": 18, "c": 19}, _ZONES, dict(zip(_BALANCERS, (25, 26), strict=True)), 28)
# Half the size, as on the embedded stack, and with zones called as there: see there why no name is one of the first.
_WEST = Layout("us-west-2", {"west-a": 33, "west-b": 34}, ("west-a",), {"haproxy-west": 41}, 44, "-west")


def places(regions: int) -> Places:
    """Of a stack of so many regions. In that of one, what is at its edge stands among what is in none."""
    if regions == 1:
        return Places((_ALONE,), {WATCH: 15, CUSTOMERS: 18}, beyond=20, zone_bits=26)
    return Places((_EAST, _WEST), {NAMES: 5, WATCH: 9, CUSTOMERS: 12}, beyond=4, zone_bits=27)
