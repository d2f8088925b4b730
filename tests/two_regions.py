"""Two regions that only remember what was done to them: for unit tests of faults and procedures, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from harness.errors import NotReady, Refused
from harness.faults._probes import Door
from harness.stacks import Component, Condition, Stack

EAST, WEST = "us-east-1", "us-west-2"
ZONES = {EAST: ("a", "b", "c"), WEST: ("west-a", "west-b")}
NAMES = ("api.example", "app.example")


@dataclass
class Server:
    """A component of a region, or a database server of it."""

    name: str
    zone: str
    region: str
    stack: TwoRegions = field(repr=False)
    up: bool = True

    @property
    def door(self) -> tuple[str, int]:
        return f"10.0.{self.zone}", 5432

    def ask(self) -> None:
        """Nothing that is asked of it matters."""

    def start(self) -> None:
        if self.name.startswith("patroni") and self.region in self.stack.fenced:
            raise Refused(f"{self.region} is fenced", hint="end that first")
        self.up = True

    def stop(self) -> None:
        self.up = False

    kill = stop

    def running(self) -> bool:
        return self.up


@dataclass
class Database:
    """The cluster of a region: it leads, or follows another one."""

    name: str
    stack: TwoRegions = field(repr=False)
    upstream: str = ""
    at: int = 1000  # received
    done: int = 1000  # replayed
    number: int = 1  # of its history
    switched_at: int = 0
    words: Mapping[str, str] = field(default_factory=dict)
    promotes: bool = True
    streams: bool = True
    held: bool = False  # back: it receives, and replays nothing
    whole: bool = True  # whatever it follows, what it has is a beginning of that

    @property
    def members(self) -> list[Server]:
        found = self.stack.parts.values()
        return [each for each in found if each.region == self.name and each.name.startswith("patroni")]

    @property
    def addresses(self) -> Sequence[str]:
        return [self.name]

    def leader(self) -> Server | None:
        up = [each for each in self.members if each.up]
        return up[0] if up and not self.upstream else None

    def holder(self) -> str:
        leader = self.leader()
        return leader.name if leader else ""

    def writable(self, name: str) -> bool | None:
        leader = self.leader()
        return leader is not None and leader.name == name

    def comes_back_as_copy(self, name: str) -> str:
        return ""

    def healthy(self) -> list[Condition]:
        return []

    def follows(self) -> str:
        return self.upstream

    def follow(self, upstream: Sequence[str]) -> str:
        (name,) = upstream
        was = self.upstream
        self.upstream = name
        self.stack.said.append(f"{self.name} follows {name}")
        return "it follows already" if was else "demoted as planned" if self.members[0].up else "cloned anew"

    def promote(self) -> None:
        self.stack.said.append(f"{self.name} is promoted")
        if not self.promotes:
            raise NotReady("nobody stands by", hint="look")
        self.upstream, self.number, self.switched_at = "", self.number + 1, self.done

    def received(self) -> int:
        return self.at

    def received_whole(self) -> int:
        return self.at

    def replayed(self) -> int:
        return self.done

    def hold_replay(self) -> None:
        self.held = True

    def release_replay(self) -> None:
        self.held, self.done = False, self.at

    def holds_replay(self) -> list[str]:
        return [each.name for each in self.members] if self.held else []

    def give_to_replay(self) -> None:
        """Nobody writes there."""

    def connect(self, member: object = None) -> Any:
        raise NotReady("nobody leads", hint="look")

    def receives(self) -> bool:
        upstream = self.stack.databases.get(self.upstream)
        return bool(upstream and upstream.leader() and self.upstream not in self.stack.cut)

    def parted(self) -> int:
        return self.switched_at

    def replay_age(self) -> timedelta | None:
        return timedelta(seconds=0.2)

    def standing_by(self) -> list[Condition]:
        up = [each.name for each in self.members if each.up]
        follows = Condition(f"{self.name} follows", ok=bool(self.upstream), seen=self.upstream)
        return [follows, *(Condition(f"{each} replicates", ok=self.streams, seen="…") for each in up)]

    def goes_on(self, upstream: Sequence[str]) -> bool:
        return self.whole

    def positions(self) -> Any:
        return SimpleNamespace(now=lambda: self.done, close=lambda: None)

    def history(self, member: object) -> int:
        return self.number

    def hand_over(self) -> int:
        return self.done


@dataclass
class Backups:
    """The backup tool of a region."""

    stack: TwoRegions = field(repr=False)
    name: str

    def take(self) -> Any:
        self.stack.backed_up.append(self.name)
        return SimpleNamespace(id="1", size=1)

    def backups(self) -> list[Any]:
        return []

    check = restore = backups


@dataclass
class Place:
    """One region."""

    name: str
    zones: Sequence[str]
    holds: Sequence[object]
    stack: TwoRegions = field(repr=False)

    def service(self, zone: str) -> Server:
        return self.stack.parts[f"api-{zone}"]

    def zone_entrance(self, zone: str) -> Any:
        return None


@dataclass
class TwoRegions:
    """With every power over regions, and names."""

    kind = "fake"
    environment = "embedded"
    fenced: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    led: set[str] = field(default_factory=set)
    stubborn: set[str] = field(default_factory=set)  # names whose record does not change
    names = NAMES
    zone = None  # what changes them, which nobody asks here
    ttl = timedelta(seconds=5)

    def __post_init__(self) -> None:
        self.parts: dict[str, Server] = {}
        for name, zones in ZONES.items():
            for zone in zones:
                for kind in ("api", "patroni"):
                    self.parts[f"{kind}-{zone}"] = Server(f"{kind}-{zone}", zone, name, self)
        self.databases = {name: Database(name, self) for name in ZONES}
        self.databases[WEST].upstream = EAST
        self.backed_up: list[str] = []
        self.regions = [
            Place(name, zones, (self.databases[name], Backups(self, name)), self) for name, zones in ZONES.items()
        ]
        self.stands_for = dict.fromkeys(NAMES, EAST)
        self.sick: list[str] = []  # as the checks of health see it

    def of(self, name: str) -> list[Server]:
        return [each for each in self.parts.values() if each.region == name]

    def components(self) -> Mapping[str, Component]:
        return self.parts

    def cut_region(self, name: str) -> None:
        self.cut.add(name)

    def join_region(self, name: str) -> None:
        self.cut.discard(name)
        self.said.append(f"{name} is joined")

    def cut_region_power(self, name: str) -> None:
        self.dark.add(name)
        self.cut.add(name)
        for each in self.of(name):
            each.up = False

    def restore_region_power(self, name: str) -> str:
        self.said.append(f"{name} has its power back")
        self.dark.discard(name)
        self.cut.discard(name)
        for each in self.of(name):
            if name not in self.fenced or not each.name.startswith("patroni"):
                each.start()
        return ""

    def region_has_power(self, name: str) -> bool:
        return name not in self.dark

    def fence_region(self, name: str) -> None:
        self.said.append(f"{name} is fenced")
        self.fenced.add(name)
        for each in self.databases[name].members:
            each.up = False

    def unfence_region(self, name: str) -> None:
        others = [each for each in self.databases.values() if each.name != name and not each.upstream]
        if name in self.fenced and others and not self.databases[name].upstream:
            raise Refused(f"{others[0].name} has led", hint="make it follow")
        self.said.append(f"{name} is let on")
        self.fenced.discard(name)

    def region_is_fenced(self, name: str) -> bool:
        return name in self.fenced

    def switch_name(self, name: str, region: str) -> None:
        if name not in self.stubborn:
            self.stands_for[name] = region

    def healthy(self, region: str) -> bool:
        return region not in self.sick

    def publish_names(self, region: str) -> None:
        self.stands_for = dict.fromkeys(NAMES, region)

    def recorded(self, name: str) -> str:
        return self.stands_for[name]

    answered = recorded

    def opened(self, part: Server) -> Door:
        """What a connection to it would come to."""
        return FakeDoor("10.0.0.1", 1, lambda: None, stack=self, part=part)

    def made(self) -> Stack:
        """As whoever is given a stack takes it."""
        return cast(Stack, self)


@dataclass(frozen=True)
class FakeDoor(Door):
    stack: TwoRegions
    part: Server

    def said(self) -> str:
        if self.part.region in self.stack.cut:
            return "silent"
        return "taken" if self.part.up else "refused"
