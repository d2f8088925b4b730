"""A stack that only remembers what was done to it: for unit tests of faults, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from harness.faults._probes import Door
from harness.stacks import Entrance, Slowness
from harness.system.command import Commands
from harness.system.recorder import Memory

ZONES = ("a", "b", "c")


@dataclass
class Part:
    """A component."""

    name: str
    zone: str
    up: bool = True
    frozen: bool = False
    full: bool = False
    starts: int = 0
    dsn = "host=10.0.0.1 port=5432"
    log = Path("part.log")

    def start(self) -> None:
        self.starts += not self.up
        self.up = True

    def kill(self) -> None:
        self.up = False

    def running(self) -> bool:
        return self.up

    def pause(self) -> None:
        self.frozen = True

    def resume(self) -> None:
        self.frozen = False

    def fill_volume(self) -> None:
        self.full = True

    def free_volume(self) -> None:
        self.full = False

    def volume_is_full(self) -> bool:
        return self.full


@dataclass
class PlainPart:
    """A component without any optional power."""

    name: str
    zone: str
    dsn = "host=10.0.0.1 port=5432"

    def running(self) -> bool:
        return True


class FakeReleases:
    def __init__(self, services: Sequence[Part]) -> None:
        self._services = services
        self.published: dict[str, Mapping[str, Any]] = {"1.0": {"limits": {"amount": "5"}}}
        self.deployed = ["1.0"]

    def current(self) -> str:
        return self.deployed[-1]

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
    members: Sequence[Any]
    leads: Any = None

    def leader(self) -> Any:
        return self.leads


@dataclass
class PlainStack:
    """Fills what faults use of `Stack`, without any optional power."""

    parts: dict[str, Any] = field(
        default_factory=lambda: {
            f"{kind}-{zone}": PlainPart(f"{kind}-{zone}", zone) for kind in ("api", "patroni") for zone in ZONES
        }
    )
    kind = "fake"
    zones = ZONES

    def __post_init__(self) -> None:
        self.commands = Commands(Memory(), label="fake")
        self.balancers = [part for name, part in self.parts.items() if name.startswith("envoy")]
        self.cluster = FakeCluster([part for name, part in self.parts.items() if name.startswith("patroni")])
        self.releases = FakeReleases([part for name, part in self.parts.items() if name.startswith("api")])
        self.entrance = Entrance("api.example", tuple(f"10.0.0.{one}" for one in (5, 6)), 443, Path("ca.pem"))

    def components(self) -> Mapping[str, Any]:
        return self.parts

    def service(self, zone: str) -> Any:
        return self.parts[f"api-{zone}"]


@dataclass
class FakeStack(PlainStack):
    """With every power."""

    parts: dict[str, Any] = field(
        default_factory=lambda: {
            name: Part(name, name[-1] if name[-1] in ZONES else "")
            for name in (*(f"{k}-{z}" for k in ("api", "patroni", "etcd") for z in ZONES), "envoy-1", "envoy-2", "s3")
        }
    )
    cuts: set[str] = field(default_factory=set)
    blind: set[tuple[str, str, str]] = field(default_factory=set)
    slow_zones: dict[str, Slowness] = field(default_factory=dict)
    flapping: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)

    def cut(self, zone: str) -> None:
        self.cuts.add(zone)

    def join(self, zone: str) -> None:
        self.cuts.discard(zone)

    def cut_link(self, one: str, other: str, *, part: Literal["", "etcd"] = "") -> None:
        self.blind.add((one, other, part))

    def join_link(self, one: str, other: str) -> None:
        self.blind = {cut for cut in self.blind if cut[:2] != (one, other)}

    def sees(self, one: str, other: str, *, part: Literal["", "etcd"] = "") -> bool:
        return not self.blind & {(one, other, ""), (one, other, part)}

    def slow(self, zone: str, how: Slowness) -> Sequence[str]:
        self.slow_zones[zone] = how
        return ["loss: this kernel has no netem"] if how.loss else []

    def unslow(self, zone: str) -> None:
        self.slow_zones.pop(zone, None)

    def slowed(self, zone: str) -> str:
        return f"rate {self.slow_zones[zone].kilobytes} kB/s" if zone in self.slow_zones else ""

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> None:
        self.flapping.add(zone)

    def settle(self, zone: str) -> None:
        self.flapping.discard(zone)

    def flaps(self, zone: str) -> int:
        return int(zone in self.flapping)

    def cut_power(self, zone: str) -> None:
        self.dark.add(zone)
        for part in self.parts.values():
            part.up = part.up and part.zone != zone

    def restore_power(self, zone: str) -> None:
        self.dark.discard(zone)
        for part in self.parts.values():
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
        if self.part.zone in (*self.stack.cuts, *self.stack.dark):
            return "silent"
        return "taken" if self.part.up else "refused"

    def answers(self) -> bool:
        return self.said() == "taken" and not self.part.frozen
