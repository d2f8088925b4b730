"""Where the parts of a stack stand: an address for each, and how a process is put into a zone.

On the levels with namespaces every zone is a network of its own behind a bridge. On loopback the zones are addresses of
127/8 and nothing more: they cannot be cut from each other.
"""

from __future__ import annotations

import hashlib
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.errors import DrillError, NotReady, Unable
from harness.stacks.capabilities.network import Slowness
from harness.stacks.local import slowing
from harness.stacks.local.bridge import HOLDER, STORE, Bridge
from harness.stacks.local.sandbox import NO_NETWORKS, to_zones_apart
from harness.system import wait
from harness.system.clock import Moment, spanning
from harness.system.command import PART, Commands, Process, reap

ENTRANCES, WATCH, STORAGE, FIRST_ZONE = (5, 6), 9, 10, 11  # last number of the addresses
ON_THE_BRIDGE = (1, *ENTRANCES, WATCH, STORAGE)
CLAIM_PORT = 7077
NETWORKS = 64 * 256  # 127.64.0.0 to 127.127.255.0: the lower part is used by resolvers and the like
SOON = timedelta(seconds=20)
Part = Literal["", "consensus store"]


class Addresses(Protocol):
    """Of one stack, and how a process is put where they are."""

    @property
    def entrances(self) -> Sequence[str]:
        """Where load balancers stand."""

    @property
    def watch(self) -> str:
        """Where alerts go."""

    @property
    def storage(self) -> str: ...
    def address(self, zone: str) -> str: ...
    def store_address(self, zone: str) -> str:
        """Of the zone's etcd."""

    def inside(self, zone: str) -> list[str]:
        """The words before a command that must run in the zone. They end in an exec: the pid stays."""


class Network(Addresses, Protocol):
    """What can be done to it. Where it cannot be, it is `Unable`."""

    def cut(self, zone: str) -> Moment | None:
        """Drop silently whatever goes between the zone and the others. Errors: `Unable`."""

    def join(self, zone: str) -> Moment | None:
        """End the cut; harmless where there is none."""

    def cut_link(self, one: str, other: str, *, part: Part) -> Moment | None:
        """Two zones do not see each other any more, or their etcds do not. Errors: `Unable`."""

    def join_link(self, one: str, other: str) -> Moment | None:
        """Harmless where there is no cut."""

    def slow(self, zone: str, how: Slowness) -> list[str]:
        """Make a zone's link slow, both ways; returns what could not be. Errors: `Unable`."""

    def unslow(self, zone: str) -> None:
        """Harmless where it is not slow."""

    def slowed(self, zone: str) -> str:
        """How it is slowed, as the kernel says; empty where it is not."""

    def flapping(self, zone: str) -> list[str]:
        """The program, and its first words, that makes a zone's link come and go. Errors: `Unable`."""

    def close(self) -> None: ...
    def saved(self) -> dict[str, Any]:
        """JSON, from which `saved_network` makes the same network in another process."""


@dataclass(frozen=True)
class Bridged:
    """Each zone a network namespace, held by a process."""

    bridge: Bridge
    holders: dict[str, Process]

    @property
    def entrances(self) -> Sequence[str]:
        return [self.bridge.address(host) for host in ENTRANCES]

    @property
    def watch(self) -> str:
        return self.bridge.address(WATCH)

    @property
    def storage(self) -> str:
        return self.bridge.address(STORAGE)

    def address(self, zone: str) -> str:
        return self.bridge.address(self._host(zone))

    def store_address(self, zone: str) -> str:
        return self.bridge.address(self._host(zone) + STORE)

    def _host(self, zone: str) -> int:
        return FIRST_ZONE + list(self.holders).index(zone)

    def inside(self, zone: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.holders[zone].pid}/ns/net", "--"]

    def cut(self, zone: str) -> Moment | None:
        return self.bridge.cut(zone)

    def join(self, zone: str) -> Moment | None:
        return self.bridge.join(zone)

    def cut_link(self, one: str, other: str, *, part: Part) -> Moment | None:
        return spanning(
            self.bridge.blind(self.holders[here].pid, self._host(there), store_alone=part == "consensus store")
            for here, there in ((one, other), (other, one))
        )

    def join_link(self, one: str, other: str) -> Moment | None:
        return spanning(
            self.bridge.unblind(self.holders[here].pid, self._host(there))
            for here, there in ((one, other), (other, one))
        )

    def slow(self, zone: str, how: Slowness) -> list[str]:
        return slowing.slow(self.bridge.port(zone), self.holders[zone].pid, how)

    def unslow(self, zone: str) -> None:
        slowing.unslow(self.bridge.port(zone), self.holders[zone].pid)

    def slowed(self, zone: str) -> str:
        return slowing.slowed(self.bridge.port(zone), self.holders[zone].pid)

    def flapping(self, zone: str) -> list[str]:
        return [sys.executable, "-P", "-m", "harness.stacks.local.flap", str(self.bridge.number), zone]

    def close(self) -> None:
        """Outside of its sandbox there is nothing to do: the sandbox's end has removed it."""
        if any(holder.running() for holder in self.holders.values()):
            _end(self.holders.values())
            self.bridge.drop()

    def saved(self) -> dict[str, Any]:
        holders = {zone: [holder.pid, holder.started] for zone, holder in self.holders.items()}
        return {"kind": "bridged", "number": self.bridge.number, "holders": holders}


@dataclass(frozen=True)
class Loopback:
    """Addresses of a /24 of 127/8 that belongs to this stack alone, by a port that `holder` keeps bound."""

    prefix: str  # "127.93.14"
    zones: tuple[str, ...]
    holder: Process

    @property
    def entrances(self) -> Sequence[str]:
        return [f"{self.prefix}.{host}" for host in ENTRANCES]

    @property
    def watch(self) -> str:
        return f"{self.prefix}.{WATCH}"

    @property
    def storage(self) -> str:
        return f"{self.prefix}.{STORAGE}"

    def address(self, zone: str) -> str:
        return f"{self.prefix}.{FIRST_ZONE + self.zones.index(zone)}"

    def inside(self, zone: str) -> list[str]:
        return []

    def store_address(self, zone: str) -> str:
        return self.address(zone)

    def cut(self, zone: str) -> None:
        raise _unable(f"zone {zone} cannot be cut")

    def join(self, zone: str) -> None:
        """Nothing was cut."""

    def cut_link(self, one: str, other: str, *, part: Part) -> None:
        raise _unable(f"zones {one} and {other} cannot be cut from each other")

    def join_link(self, one: str, other: str) -> None:
        """Nothing was cut."""

    def slow(self, zone: str, how: Slowness) -> list[str]:
        raise _unable(f"the link of zone {zone} cannot be made slow")

    def unslow(self, zone: str) -> None:
        """Nothing was slow."""

    def slowed(self, zone: str) -> str:
        return ""

    def flapping(self, zone: str) -> list[str]:
        raise _unable(f"the link of zone {zone} cannot come and go")

    def close(self) -> None:
        _end([self.holder])

    def saved(self) -> dict[str, Any]:
        holder = [self.holder.pid, self.holder.started]
        return {"kind": "loopback", "prefix": self.prefix, "zones": list(self.zones), "holder": holder}


def _unable(what: str) -> Unable:
    return Unable(f"{what}: {NO_NETWORKS}", hint=to_zones_apart())


def saved_network(saved: dict[str, Any]) -> Network:
    """The network of a stack that another process started."""
    if saved["kind"] == "loopback":
        return Loopback(saved["prefix"], tuple(saved["zones"]), Process(*saved["holder"]))
    holders = {zone: Process(*holder) for zone, holder in saved["holders"].items()}
    return Bridged(Bridge(saved["number"], ON_THE_BRIDGE), holders)


def make_network(level: str, *, zones: Sequence[str], commands: Commands, logs: Path) -> Network:
    """A network for one stack. Errors: `DrillError` when none can be had, `NotReady` when a zone does not come up."""
    if level == "loopback":
        return _claim_loopback(zones, commands, logs)
    bridge = Bridge.claim(hosts=ON_THE_BRIDGE)
    holders: dict[str, Process] = {}
    try:
        numbers = {zone: FIRST_ZONE + number for number, zone in enumerate(zones)}
        for zone, number in numbers.items():
            others = [one for one in numbers.values() if one != number]
            words = ["unshare", "--net", "--", *bridge.holder_argv(number, others=others)]
            holders[zone] = commands.start(words, log=logs / f"zone-{zone}.log", env=_mark(commands))
        for zone, holder in holders.items():
            bridge.plug(zone, numbers[zone], holder.pid)
        for zone, holder in holders.items():
            _said_ready(holder, logs / f"zone-{zone}.log", commands)
            others = [one for one in numbers.values() if one != numbers[zone]]
            bridge.tell_apart(numbers[zone], holder.pid, others=others)
    except DrillError:
        _end(holders.values())
        bridge.drop()
        raise
    return Bridged(bridge, holders)


def _claim_loopback(zones: Sequence[str], commands: Commands, logs: Path) -> Loopback:
    first = int.from_bytes(hashlib.sha256(commands.label.encode()).digest()[:4], "big")
    for attempt in range(20):
        number = (first + attempt * 257) % NETWORKS
        prefix = f"127.{64 + number // 256}.{number % 256}"
        log = logs / f"claim-{attempt}.log"
        words = [sys.executable, "-I", "-S", str(HOLDER), "--claim", f"{prefix}.1", str(CLAIM_PORT)]
        holder = commands.start(words, log=log, env=_mark(commands))
        if _said_ready(holder, log, commands, needed=False):
            return Loopback(prefix, tuple(zones), holder)
    raise DrillError("20 networks of 127/8 are in use or refused", hint="end other stacks: `drdrill stack down`")


def _said_ready(holder: Process, log: Path, commands: Commands, *, needed: bool = True) -> bool:
    """Whether the holder reached its "ready"; False where it ended and that is allowed."""

    def said() -> str:
        words = log.read_text().split() if log.exists() else []
        if words[-1:] == ["ready"]:
            return "ready"
        return "" if holder.running() else "ended"

    what = log.stem
    every = timedelta(milliseconds=5)
    if wait.until(said, what=what, within=SOON, recorder=commands.recorder, every=every) == "ready":
        return True
    reap()
    if needed:
        raise NotReady(f"{what}: {log.read_text().strip() or 'ended'}", hint="run `drdrill doctor`")
    return False


def _mark(commands: Commands) -> dict[str, str]:
    """By which a stack's removal finds the holders."""
    return {PART: f"{commands.label}/network"}


def _end(holders: Iterable[Process]) -> None:
    for holder in holders:
        holder.send(signal.SIGKILL)
    reap()
