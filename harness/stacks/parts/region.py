"""A region of a stack of ours: its zones, the entrance to them, and what serves them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.stacks import Component, Entrance
from harness.stacks.parts.api import API_PORT, own_database
from harness.stacks.parts.postgres import Roles


@dataclass(frozen=True)
class PlatformRegion:
    """`addresses`: of each zone, as who stands in it reaches it, also while the zone is cut off."""

    name: str
    zones: Sequence[str]
    holds: Sequence[object]
    entrance: Entrance
    balancers: Sequence[Component]
    balancer_entrances: Mapping[str, Entrance]  # by name
    services: Mapping[str, Component]
    addresses: Mapping[str, str]
    roles: Roles = field(repr=False)

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""
        return self.services[zone]

    def zone_entrance(self, zone: str) -> Entrance:
        """The zone's own API, as customers of the zone reach it, also while the zone is cut off."""
        return replace(self.entrance.alone(self.addresses[zone]), port=API_PORT)

    def balancer_entrance(self, name: str) -> Entrance:
        """One load balancer alone, whatever the name stands for."""
        return self.balancer_entrances[name]

    def zone_database(self, zone: str) -> tuple[str, dict[str, str]]:
        """DSN of the zone's own database server for the platform's API role, and the environment with its password."""
        return own_database(self.addresses[zone], zone=zone, roles=self.roles)
