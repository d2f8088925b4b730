"""The prober of an embedded stack: a small monitoring that stands on the bridge, outside of all zones."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.alerts.prober import Config
from harness.alerts.rules import Asks, Target
from harness.stacks import Condition, Entrance
from harness.stacks.local.ground import LocalGround
from harness.stacks.parts.api import API_PORT
from harness.stacks.parts.etcd import CLIENTS
from harness.stacks.parts.ground import Runs
from harness.stacks.parts.member import REST
from harness.stacks.parts.monitor import RECEIVER, named
from harness.stacks.parts.settings import Settings
from harness.stacks.stand_in import HEALTH, READY
from harness.system import clock

BY = "a small prober of the embedded stack"
STARTING = timedelta(seconds=60)  # for so long nobody is told of what has not come up yet
# What each zone has: component, what its answer has to be, scheme, port and path.
OF_A_ZONE: list[tuple[str, Asks, str, int, str]] = [
    ("api", "alive", "https", API_PORT, HEALTH),
    ("api", "ready", "https", API_PORT, READY),
    ("patroni", "alive", "http", REST, "/health"),
    ("patroni", "leads", "http", REST, "/primary"),
    ("etcd", "alive", "http", CLIENTS, "/health"),
]


@dataclass(frozen=True)
class Watched:
    """A region as the prober sees it."""

    ground: LocalGround
    entrance: Entrance
    balancers: Mapping[str, str]  # name to address
    store: str  # name of the object store
    store_url: str
    etcds: Sequence[str]  # the zones with a member


class Watching:
    """The prober, and what it asks. The first region is the one that is to serve; the others have to be alive."""

    def __init__(self, ground: LocalGround, regions: Sequence[Watched], *, chosen: Settings, place: str = "") -> None:
        """`place`: where it stands, for sabotage only; empty: outside of all regions."""
        self._ground = ground
        self._regions = regions
        self._chosen = chosen
        self.unit = ground.unit("prober", runs=Runs.HARNESS, place=place, argv=self._argv)

    def condition(self) -> Condition:
        """Whether the prober runs; what it sees is in its alerts."""
        ok = self.unit.running()
        return Condition("watched", ok=ok, seen=f"{len(self.targets())} targets, by {BY}" if ok else "no prober runs")

    def targets(self) -> list[Target]:
        return [target for number, one in enumerate(self._regions) for target in self._of(one, serves=number == 0)]

    def _of(self, region: Watched, *, serves: bool) -> list[Target]:
        ca, host, ground = str(region.entrance.ca), region.entrance.host, region.ground
        found = []
        for zone in ground.zones:
            for part, asks, scheme, port, path in OF_A_ZONE:
                if (part == "etcd" and zone not in region.etcds) or (asks in ("ready", "leads") and not serves):
                    continue
                component, said = named(f"{part}-{zone}", zone, chosen=self._chosen)
                address = ground.store_address(zone) if part == "etcd" else ground.address(zone)
                url = f"{scheme}://{address}:{port}{path}"
                secure = {"host": host, "ca": ca} if scheme == "https" else {}
                found.append(Target(component, said, url, asks, **secure))
        asked: Asks = "there" if serves else "stands"
        for name, address in region.balancers.items():
            found.append(Target(name, "", f"https://{address}:{region.entrance.port}{HEALTH}", asked, host, ca))
        return [*found, Target(region.store, "", region.store_url, ca=ca)]

    def _argv(self) -> list[str]:
        return [sys.executable, "-P", "-m", "harness.alerts.prober", f"--config={self._configuration()}"]

    def _configuration(self) -> Path:
        """Written once: a prober that is started again knows that the stack has been up for long."""
        file = self._ground.folder / "alerts" / "prober.json"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            armed = clock.mono() + int(STARTING.total_seconds() * 1e9)
            receiver = f"http://{self._ground.watch}:{RECEIVER}/alertmanager"
            file.write_text(Config(receiver, armed, tuple(self.targets())).text())
        return file
