"""What several faults look at, from outside: parts of a stack by name, and whether anybody answers there. No fault."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.errors import NotReady, Refused, Unable
from harness.stacks import Asked, Component, KilledTogether, Member, Stack
from harness.stacks.lacking import Balanced, Clustered
from harness.system.bugs import database_errors
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
        silent: tuple[type[Exception], ...] = (OSError, *database_errors())
        try:
            self.ask()
        except silent:
            return False
        return True


def door(stack: Stack, name: str) -> Door | None:
    """The door of an API, a database server or a load balancer; None for a component that no verb can ask."""
    if isinstance(found := stack.components().get(name), Asked):
        return Door(*found.door, found.ask)
    for member in stack.cluster.members if isinstance(stack, Clustered) else ():
        if member.name == name:
            return database_door(member)
    entrances = {stack.service(zone).name: stack.zone_entrance(zone) for zone in stack.zones}
    if isinstance(stack, Balanced):
        entrances |= {balancer.name: stack.balancer_entrance(balancer.name) for balancer in stack.balancers}
    if name not in entrances:
        return None
    from harness.stacks.parts.visitor import Visitor  # noqa: PLC0415  (see harness.faults)

    entrance = entrances[name]
    visitor = Visitor(entrance, patience=timedelta(seconds=PATIENCE))
    return Door(entrance.addresses[0], entrance.port, visitor.knock)


def database_door(member: Member) -> Door:
    import psycopg  # noqa: PLC0415  (see harness.faults)
    from psycopg import conninfo  # noqa: PLC0415  (see harness.faults)

    words = conninfo.conninfo_to_dict(member.dsn)

    def ask() -> None:
        with psycopg.connect(member.dsn, autocommit=True, connect_timeout=round(PATIENCE)) as connection:
            connection.execute("SELECT 1")

    return Door(str(words["host"]), int(str(words["port"])), ask)


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
        raise NotReady(f"{name} does not run, so it cannot be hurt", hint=f"read its log: {found.log}")
    return found


def of_zone(stack: Stack, zone: str) -> list[str]:
    """The names of a zone's components. Errors: `Refused` where there is no such zone."""
    if zone not in stack.zones:
        raise Refused(f"the stack has no zone {zone!r}", hint=f"it has {', '.join(stack.zones)}")
    return [name for name, found in stack.components().items() if found.zone == zone]


def member_of(stack: Stack, zone: str) -> Member:
    return next(member for member in stack.cluster.members if member.zone == zone)


def kill(stack: Stack, parts: Sequence[Component]) -> Moment | None:
    """SIGKILL to each of these, at one instant where the stack can."""
    if isinstance(stack, KilledTogether):
        return stack.kill_together([part.name for part in parts])
    return spanning([part.kill() for part in parts])


def still_running(stack: Stack, names: Sequence[str]) -> list[str]:
    components = stack.components()
    return [name for name in names if components[name].running()]


def unable(stack: Stack, what: str) -> Unable:
    """Where a kind of stack lacks a power; what this machine cannot, its verb says itself."""
    return Unable(
        f"a stack of kind {stack.kind} cannot {what}",
        hint="docs/stacks.md lists what each kind of stack can; `drdrill run NAME --stack KIND` chooses one",
    )
