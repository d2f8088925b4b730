"""Where drills happen. What every stack has, on one page; what it may have besides is in `capabilities`.

A drill, a fault and a procedure see only these protocols; a new kind of stack, cluster or backup tool is one more
folder or file that fills them. Where a file lies is the stack's own business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.errors import NotReady
from harness.system.command import Commands
from harness.system.resolver import Fixed, NotResolved, Resolver


@dataclass(frozen=True)
class Condition:
    """One thing that must hold for a stack to be steady, and what was seen."""

    name: str
    ok: bool
    seen: str


@dataclass(frozen=True)
class Entrance:
    """Where customers come in: the name they know, who says what it stands for, and the CA that they trust.

    Whoever comes in resolves the name for each new connection, so a switch of the name is seen by the next one.
    """

    host: str  # the name that goes into SNI and Host
    resolver: Resolver
    port: int
    ca: Path | None  # None: it speaks plain HTTP, as within one machine

    @property
    def addresses(self) -> tuple[str, ...]:
        """What the name stands for now, in the order in which customers try them. Errors: `NotReady`."""
        try:
            return self.resolver.resolve(self.host)
        except NotResolved as error:
            raise NotReady(str(error), hint="the stack says what its name stands for: read its logs") from None

    def alone(self, address: str) -> Entrance:
        """Past the name: always this address."""
        return replace(self, resolver=Fixed((address,)))

    def url(self, path: str, *, host: str = "") -> str:
        """Of a path, by the name that customers know or by another that stands for the same."""
        return f"{'https' if self.ca else 'http'}://{host or self.host}:{self.port}{path}"


class Component(Protocol):
    """One process or container of a stack."""

    @property
    def name(self) -> str: ...
    @property
    def zone(self) -> str:
        """Empty where it stands in none."""

    def running(self) -> bool: ...


class Region(Protocol):
    """Zones that lie together, and what serves them all. It is asked for what it has as `capabilities.find` does."""

    @property
    def name(self) -> str: ...
    @property
    def zones(self) -> Sequence[str]:
        """Their names, which no zone of another region has."""

    @property
    def holds(self) -> Sequence[object]:
        """A database cluster, backups, releases, what watches it, ...: each asked for by what it can do."""


@dataclass(frozen=True)
class PlainRegion:
    """A region that only has what it holds."""

    name: str
    zones: Sequence[str] = ()
    holds: Sequence[object] = ()


class Stack(Protocol):
    """A running platform that a drill hurts."""

    kind: str  # local, docker, staging
    environment: str  # embedded, containers, staging, production
    folder: Path
    commands: Commands

    @property
    def regions(self) -> Sequence[Region]:
        """The first is the one in service, whose database customers are told of; there once the stack was started."""

    def components(self) -> Mapping[str, Component]:
        """Every component, by its name."""

    def steady(self) -> list[Condition]:
        """What shows that it is well, such as: serves, replicates, archives. Each by a real request or query."""

    def parts(self) -> dict[str, str]:
        """What it is made of, with versions."""

    def logs(self) -> dict[str, Path]:
        """Component name to its log, in a file that the harness can read."""

    @property
    def secrets(self) -> Sequence[str]:
        """Passwords of this stack: they must not reach a pack."""


def zones(stack: Stack) -> list[str]:
    """Of the region in service, in order: the one that drills, and whoever asks the stack, are about."""
    return [zone for region in tuple(stack.regions)[:1] for zone in region.zones]
