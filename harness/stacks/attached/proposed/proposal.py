"""What is proposed, as plain values. Each guess has its reason, which stands beside it in the file that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.stacks.attached.proposed.guesses import BALANCER, MONITORING, Asked

SINGLE = "the only way in"


@dataclass(frozen=True)
class Part:
    """A component."""

    name: str
    role: str
    why: str  # why that role is guessed; empty where somebody has said it
    never: str = ""  # why no drill may hurt it; empty where it may
    container: str = ""  # by which it is found, where the service's name is not enough
    alive: str = ""  # a probe by its name
    zone: str = ""


@dataclass(frozen=True)
class Servers:
    """Of a PostgreSQL database: components, each with its port."""

    members: Mapping[str, int]
    name: str  # of the database; empty where nobody has said it
    user: str = "drill"
    secret: str = ""  # the variable that its password is read from
    why: str = ""


@dataclass(frozen=True)
class Proposal:
    name: str
    owner: str
    environment: str = "staging"
    project: str = ""  # of compose; empty: containers are found by their names
    stands: str = "already"
    files: Sequence[Path] = ()  # of compose
    parts: Sequence[Part] = ()
    probes: Mapping[str, Asked] = field(default_factory=dict)
    at: str = ""  # where customers come in
    at_why: str = ""
    rate: str = "5 a second"
    page: str = "/"  # what is asked of the entrance whether the platform is well
    database: Servers | None = None
    alerts: str = ""  # an Alertmanager's URL
    rto: str = "5 min"
    rpo: str = "1 min"
    notes: Sequence[str] = ()  # what was left out, and why
    not_copied: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by service: what looks like secrets

    @property
    def hurt(self) -> Sequence[Part]:
        """What a drill may hurt."""
        return [part for part in self.parts if not part.never]

    def of(self, role: str) -> Sequence[Part]:
        return [part for part in self.hurt if part.role == role]


def protected(role: str, *, many: int) -> str:
    """Why no drill may hurt a component of a role of which there are so many; empty where it may."""
    if role == BALANCER:
        return SINGLE if many == 1 else ""
    return "it has to see what drills do" if role in (MONITORING, "exporter") else ""


def with_zones(parts: Sequence[Part], zones: Mapping[str, str]) -> Sequence[Part]:
    """`zones`: component to zone. Where none are said, each that may be hurt has one of its own."""
    if zones:
        return [replace(part, zone=zones.get(part.name, "")) for part in parts]
    return [replace(part, zone="" if part.never else part.name) for part in parts]
