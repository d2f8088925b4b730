"""A stack that only remembers what was done to it: for unit tests of faults, and nowhere else.

It is a `Stack`, as mypy sees: verbs that no fault uses are there, and say so when one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Literal, NoReturn, TypeVar

from harness.faults._probes import Door
from harness.stacks import Component, Condition, Entrance, PlainRegion, Region
from harness.stacks.capabilities.database import Member
from harness.stacks.capabilities.network import Slowness
from harness.system.command import Commands
from harness.system.recorder import Memory
from harness.system.resolver import Fixed

ZONES = ("a", "b", "c")
MEMBER = "patroni"  # what the names of database servers begin with


def unused(*_: object, **__: object) -> NoReturn:
    """Of a verb that a stack must have and no fault uses."""
    raise AssertionError("no fault uses this: give the fake what it needs")


@dataclass
class PlainPart:
    """A component, or a database server, without any optional power."""

    name: str
    zone: str
    up: bool = True
    starts: int = 0
    door = ("10.0.0.1", 5432)
    log = Path("part.log")
    database_log = Path("database.log")
    stop = ask = has_data = lose_volume = renew_volume = read_changes = staticmethod(unused)

    def start(self) -> None:
        self.starts += not self.up
        self.up = True

    def kill(self) -> None:
        self.up = False

    def running(self) -> bool:
        return self.up


@dataclass
class Part(PlainPart):
    """With every power."""

    frozen: bool = False
    off: bool = False  # cut off by itself
    wrong: timedelta = timedelta(0)
    full: bool = False

    def pause(self) -> None:
        self.frozen = True

    def resume(self) -> None:
        self.frozen = False

    def cut(self) -> None:
        self.off = True

    def join(self) -> None:
        self.off = False

    def fill_volume(self) -> None:
        self.full = True

    def free_volume(self) -> None:
        self.full = False

    def volume_is_full(self) -> bool:
        return self.full

    def refused_write(self) -> str:
        return "File too large" if self.full else ""


P = TypeVar("P", bound=PlainPart)


class FakeReleases:
    def __init__(self, services: Sequence[PlainPart]) -> None:
        self._services = services
        self.published: dict[str, Mapping[str, Any]] = {"1.0": {"limits": {"amount": "5"}}}
        self.deployed = ["1.0"]

    def current(self) -> str:
        return self.deployed[-1]

    def history(self) -> list[str]:
        return self.deployed

    def publish(self, name: str, content: Mapping[str, Any]) -> None:
        self.published[name] = content

    def content(self, name: str) -> Mapping[str, Any]:
        return self.published[name]

    def deploy(self, name: str) -> None:
        self.deployed.append(name)
        for service in self._services:
            service.up = all(self.published[name].values())


@dataclass
class FakeCluster:
    members: Sequence[Member]
    leads: Member | None = None
    connect = run_as = answers = healthy = stop = restore_target = adopt = staticmethod(unused)

    def leader(self) -> Member | None:
        return self.leads


@dataclass
class Fake(Generic[P]):
    """What faults use of `Stack`, over parts of one kind."""

    by_name: dict[str, P]
    kind = "fake"
    environment = "embedded"
    secrets: Sequence[str] = ()
    folder: Path = Path("fake")
    parts = logs = zone_entrance = staticmethod(unused)

    def __post_init__(self) -> None:
        self.commands = Commands(Memory(), label="fake")
        self.fake_cluster = FakeCluster(self.named(MEMBER))
        self.fake_releases = FakeReleases(self.named("api"))
        self.balancers: Sequence[Component] = self.named("envoy")
        self.entrance = Entrance("api.example", Fixed(("10.0.0.5", "10.0.0.6")), 443, Path("ca.pem"))
        self.regions: Sequence[Region] = [PlainRegion("region-1", ZONES, (self.fake_cluster, self.fake_releases))]

    def named(self, first: str) -> list[P]:
        """The parts whose name begins so."""
        return [part for name, part in self.by_name.items() if name.startswith(first)]

    def balancer_entrance(self, name: str) -> Entrance:
        return self.entrance.alone(f"10.0.0.{4 + int(name[-1])}")

    def components(self) -> Mapping[str, P]:
        return self.by_name

    def service(self, zone: str) -> P:
        return self.by_name[f"api-{zone}"]

    def steady(self) -> list[Condition]:
        unused()


def of_zones(*kinds: str) -> list[str]:
    return [f"{kind}-{zone}" for kind in kinds for zone in ZONES]


@dataclass
class PlainStack(Fake[PlainPart]):
    """Without any optional power."""

    by_name: dict[str, PlainPart] = field(
        default_factory=lambda: {name: PlainPart(name, name[-1]) for name in of_zones("api", MEMBER)}
    )


@dataclass
class FakeStack(Fake[Part]):
    """With every power."""

    by_name: dict[str, Part] = field(
        default_factory=lambda: {
            name: Part(name, name[-1] if name[-1] in ZONES else "")
            for name in (*of_zones("api", MEMBER, "etcd"), "envoy-1", "envoy-2", "s3")
        }
    )
    cuts: set[str] = field(default_factory=set)
    blind: set[tuple[str, str, str]] = field(default_factory=set)
    slow_zones: dict[str, Slowness] = field(default_factory=dict)
    flapping: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    services_are: dict[str, str] = field(default_factory=dict)

    def cut(self, zone: str) -> None:
        self.cuts.add(zone)

    def join(self, zone: str) -> None:
        self.cuts.discard(zone)

    def cut_link(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> None:
        self.blind.add((one, other, part))

    def join_link(self, one: str, other: str) -> None:
        self.blind = {cut for cut in self.blind if cut[:2] != (one, other)}

    def sees(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> bool:
        return not self.blind & {(one, other, ""), (one, other, part)}

    def slow(self, zone: str, how: Slowness) -> Sequence[str]:
        self.slow_zones[zone] = how
        return ["loss: this kernel has no netem"] if how.loss else []

    def unslow(self, zone: str) -> None:
        self.slow_zones.pop(zone, None)

    def slowed(self, zone: str) -> str:
        return f"rate {self.slow_zones[zone].kilobytes} kB/s" if zone in self.slow_zones else ""

    def ways(self, service: str) -> Sequence[str]:
        return ("up", "refuses", "hangs")

    def set_service(self, service: str, way: str) -> None:
        self.services_are[service] = way

    def service_is(self, service: str) -> str:
        return self.services_are.get(service, "up")

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> None:
        self.flapping.add(zone)

    def settle(self, zone: str) -> None:
        self.flapping.discard(zone)

    def flaps(self, zone: str) -> int:
        return int(zone in self.flapping)

    def cut_power(self, zone: str) -> None:
        self.dark.add(zone)
        for part in self.by_name.values():
            part.up = part.up and part.zone != zone

    def restore_power(self, zone: str) -> None:
        self.dark.discard(zone)
        for part in self.by_name.values():
            if part.zone == zone:
                part.start()

    def has_power(self, zone: str) -> bool:
        return zone not in self.dark

    def door(self, part: Part) -> Door:
        """What a connection to it, and a request, would come to."""
        return FakeDoor("10.0.0.1", 1, lambda: None, stack=self, part=part)


@dataclass(frozen=True)
class FakeDoor(Door):
    stack: FakeStack
    part: Part

    def said(self) -> str:
        if self.part.off or self.part.zone in (*self.stack.cuts, *self.stack.dark):
            return "silent"
        return "taken" if self.part.up else "refused"

    def answers(self) -> bool:
        return self.said() == "taken" and not self.part.frozen
