"""Where a region of a stack lies: its zones, what stands at its edge, and the last numbers of their addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.stacks.capabilities.network import Slowness

# The link between two regions, each way: room for what archiving every 5 s pads its segments with, and about as long on
# its way as from coast to coast.
BETWEEN = Slowness(kilobytes=40_000, latency=timedelta(milliseconds=15))


@dataclass(frozen=True)
class Layout:
    """One region. Its edge is where its load balancers and its store stand, once there is another region."""

    name: str
    zones: Mapping[str, int]  # name to host
    stores: Sequence[str]  # the zones with a member of etcd
    balancers: Mapping[str, int]  # name to host
    storage: int
    suffix: str = ""  # of names and folders that only one region of a stack can have without it

    @property
    def edge(self) -> str:
        return f"edge{self.suffix}"

    def own(self, name: str) -> str:
        """A name or a folder that each region has."""
        return f"{name}{self.suffix}"
