"""Where a region of a stack lies: its zones, what stands at its edge, and the last numbers of their addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
