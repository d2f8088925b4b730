"""What several faults look at, from outside: parts of a stack by name, and whether anybody answers there. No fault."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.errors import NotReady, Refused
from harness.stacks import Component, Entrance, Stack, regional, zones
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.components import Asked, Killable, KilledTogether, Logged
from harness.stacks.capabilities.database import Cluster, Member
from harness.stacks.capabilities.entrance import Balanced, ZoneServices
from harness.stacks.capabilities.names import Named
from harness.system.clock import Moment, spanning

SILENT = 1.0  # seconds; a machine that is there takes or refuses a connection within a millisecond
PATIENCE = 2.0  # seconds for a real request


@dataclass(frozen=True)
class Door:
    """Where a component takes connections, and a real request to it, which raises where nobody answers."""

    address: str
    port: int
    ask: Callable[[], object]

    def said(self) -> str:
        """What became of a connection: `taken`, `refused`, or `silent`."""
        try:
            socket.create_connection((self.address, self.port), timeout=SILENT).close()
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "silent"
        return "taken"

    def answers(self) -> bool:
        try:
            self.ask()
        except OSError:
            return False
        return True


def door(stack: Stack, name: str) -> Door | None:
    """Of an API, a database server, a load balancer, what changes names; None for a component that no verb can ask."""
    if isinstance(found := stack.components().get(name), Asked):
        return asked_at(found)
    if (named := find(stack, Named)) and named.zone.name == name:
        return asked_at(named.zone)
    entrances: dict[str, Entrance] = {}
    for place, own in [(stack, zones(stack)), *((region, region.zones) for region in stack.regions[1:])]:
        if apis := find(place, ZoneServices):
            entrances |= {apis.service(zone).name: apis.zone_entrance(zone) for zone in own}
        if balanced := find(place, Balanced):
            entrances |= {balancer.name: balanced.balancer_entrance(balancer.name) for balancer in balanced.balancers}
    if name not in entrances:
        return None
    from harness.stacks.parts.visitor import Visitor  # noqa: PLC0415  (see harness.faults)

    found_at = entrances[name]
    visitor = Visitor(found_at, patience=timedelta(seconds=PATIENCE))
    return Door(found_at.addresses[0], found_at.port, visitor.knock)


def asked_at(part: Asked) -> Door:
    """Of a component that says itself where it is asked."""
    return Door(*part.door, part.ask)


def component(stack: Stack, name: str) -> Component:
    """Errors: `Refused` where the stack has none of that name."""
    found = stack.components().get(name)
    if found is None:
        raise Refused(f"the stack has no component {name!r}", hint=f"it has {', '.join(sorted(stack.components()))}")
    return found


def running(stack: Stack, name: str) -> Component:
    """A component that can be hurt. Errors: `Refused`; `NotReady` where it does not run: it is hurt already."""
    found = component(stack, name)
    if not found.running():
        raise NotReady(f"{name} does not run, so it cannot be hurt", hint=_read_its_log(found))
    return found


def _read_its_log(part: Component) -> str:
    return f"read its log: {part.log}" if isinstance(part, Logged) else "look why it has ended"


def of_zone(stack: Stack, zone: str) -> list[str]:
    """The names of a zone's components. Errors: `Refused` where there is no such zone."""
    if zone not in zones(stack):
        raise Refused(f"the stack has no zone {zone!r}", hint=f"it has {', '.join(zones(stack))}")
    return [name for name, found in stack.components().items() if found.zone == zone]


def member_of(stack: Stack, zone: str) -> Member:
    return next(member for member in need(stack, Cluster).members if member.zone == zone)


def of_region(stack: Stack, name: str) -> dict[str, str]:
    """What becomes of a connection to each database server of a region, all tried at once: each may be silent."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (who only lists drills asks nobody)

    doors = {member.name: asked_at(member) for member in need(regional.region(stack, name), Cluster).members}
    with ThreadPoolExecutor(max_workers=max(1, len(doors))) as pool:
        return dict(zip(doors, pool.map(lambda each: each.said(), doors.values()), strict=True))


def kill(stack: Stack, parts: Sequence[Component]) -> Moment | None:
    """SIGKILL to each of these, at one instant where the stack can."""
    if isinstance(stack, KilledTogether):
        return stack.kill_together([part.name for part in parts])
    return spanning([need(part, Killable).kill() for part in parts])


def still_running(stack: Stack, names: Sequence[str]) -> list[str]:
    components = stack.components()
    return [name for name in names if components[name].running()]


def not_running(stack: Stack, names: Sequence[str]) -> str:
    """Which of these do not run, or take no connections although they run, in words; empty where all do.

    One that is silent may be cut off by another fault; one that refuses has nobody who listens.
    """
    components = stack.components()
    said = [f"{name} does not run" for name in names if not components[name].running()]
    if not said:
        doors = {name: door(stack, name) for name in names}
        said = [f"{name} takes no connections yet" for name, its in doors.items() if its and its.said() == "refused"]
    return ", ".join(said)


def silent(stack: Stack, zone: str) -> str:
    """That nobody outside has an answer of a zone's database server, in words; empty where one is taken or refused."""
    return f"zone {zone} is silent" if asked_at(member_of(stack, zone)).said() == "silent" else ""
