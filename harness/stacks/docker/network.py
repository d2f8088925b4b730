"""The networks of a container stack: one per zone and one between them, and a pod in each place.

A pod is a container that does nothing but hold a network and its process numbers; the components of a zone share them,
as the processes of a host do. So a zone has one address, is cut in one place, and dies at one instant. Customers stand
in a pod of their own on their zone's network: a cut of the zone leaves them beside their zone's API.

No network leads out of the machine (they are `internal`), and no port is published: this machine reaches the
addresses directly.
"""

from __future__ import annotations

import hashlib
import ipaddress
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.errors import DrillError
from harness.stacks.docker import engine, stamped
from harness.stacks.docker.container import Surroundings, make
from harness.stacks.docker.engine import PART, RUN, labels, told
from harness.stacks.docker.layout import CUSTOMERS, IN_ZONE, STORAGE, WATCH, Places, edge
from harness.stacks.parts.layout import Layout
from harness.system import clock, wait
from harness.system.clock import Moment
from harness.system.command import Commands

TRIES = 20
Mounts = Mapping[str, Mapping[str, str]]
FOREVER = ["sleep", "infinity"]
GONE = timedelta(seconds=10)


@dataclass(frozen=True)
class Subnets:
    """A /24 of 10/8: a quarter of it between the zones, and one for each zone."""

    prefix: str  # "10.143.7"
    zone_bits: int = 26

    def between(self) -> str:
        return f"{self.prefix}.0/26"

    def of_zone(self, index: int) -> str:
        return f"{self.in_zone(index, 0)}/{self.zone_bits}"

    def address(self, number: int) -> str:
        return f"{self.prefix}.{number}"

    def in_zone(self, index: int, number: int) -> str:
        return f"{self.prefix}.{64 + index * 2 ** (32 - self.zone_bits) + number}"


class DockerNetwork:
    """The addresses of one stack, and the pods that hold them."""

    def __init__(self, commands: Commands, around: Surroundings, *, places: Places, prefix: str = "") -> None:
        self.places = places
        self.zones = tuple(places.zones)
        self._commands = commands
        self._around = around
        self._subnets = Subnets(prefix, places.zone_bits)

    @property
    def prefix(self) -> str:
        return self._subnets.prefix

    @property
    def watch(self) -> str:
        return self.of_place(WATCH)

    def of_place(self, place: str) -> str:
        """Of a pod outside of the zones."""
        return self._subnets.address(self.places.alone[place])

    def address(self, zone: str) -> str:
        """Of the zone's components, as the other zones reach them."""
        return self._subnets.address(self.places.zones[zone])

    def customers(self, zone: str) -> str:
        """Of the zone's customers, as the other zones see them."""
        return self._subnets.address(self.places.zones[zone] + self.places.beyond)

    def zone_address(self, zone: str) -> str:
        """Of the zone's components, on the zone's own network: what a cut leaves alone."""
        return self._subnets.in_zone(self.zones.index(zone), IN_ZONE)

    def of_region(self, name: str) -> dict[str, str]:
        """The pods of a region, and the address of each between the zones."""
        return {pod: self._subnets.address(number) for pod, number in self.places.pods(name).items()}

    def block(self, name: str) -> str:
        """All addresses of a region."""
        return self.places.block(name, self.prefix)

    def pod(self, name: str) -> str:
        """The id of the pod of a zone, of its customers (`customers-a`), or of a part outside the zones.

        Errors: `DrillError` where it does not run.
        """
        found = self._pod(name)
        if found is None or found.status != "running":
            raise DrillError(
                f"{'zone' if name in self.zones else 'pod'} {name} has no power",
                hint="`drdrill heal` removes what is left of a stack that cannot go on",
            )
        return str(found.id)

    def runs(self, name: str) -> bool:
        """Whether a pod is there, and what stands in it can run."""
        found = self._pod(name)
        return found is not None and found.status == "running"

    def kill(self, name: str) -> Moment | None:
        """SIGKILL to the first process of a pod: the kernel ends all that share its process numbers with it, at one
        instant, and its address is silent. Harmless where it is gone."""
        found = self._pod(name)
        if found is None or found.status != "running":
            return None
        with told(f"killing pod {name}"):
            moment = engine.killed(found)
        what = f"pod {name} is gone"
        wait.until(lambda: not self.runs(name), what=what, within=GONE, recorder=self._commands.recorder)
        return moment

    def kill_together(self, names: Collection[str]) -> Moment | None:
        """The same of several at one instant, by one program: the engine takes a second for them. Who they are is asked
        before. None where none was there, or the engine's kernel is not this one."""
        pods = {str(pod.id): int(pod.attrs["State"]["Pid"]) for name, pod in self._alive().items() if name in names}
        if not pods:
            return None
        asked, source = clock.mono(), Path(stamped.__file__).read_text()
        # Only who is of its container still: one may have ended meanwhile, and its number be somebody else's.
        ours = [f'if grep -qs {pod} /proc/{pid}/cgroup; then set -- "$@" {pid}; fi' for pod, pid in pods.items()]
        kill = "\n".join(["set --", *ours, '[ $# -eq 0 ] || kill -9 "$@" || true'])  # who is left is seen below
        argv = ["python3", "-c", source, "true", kill]
        said = self.run_on_machine(argv, what=f"killing {', '.join(names)}", pid_mode="host")
        moment = engine.moment_of(said, asked=asked)
        what = f"{', '.join(names)} are gone"
        gone = partial(self.running, names)
        wait.until(lambda: not gone(), what=what, within=GONE, recorder=self._commands.recorder)
        return moment

    def running(self, names: Collection[str]) -> set[str]:
        """Those of these pods that run, by one question."""
        return self._alive().keys() & set(names)

    def _alive(self) -> dict[str, Any]:
        filters: dict[str, Any] = {"label": f"{RUN}={self._commands.label}"}
        with told("looking for pods"):
            found = engine.engine().containers.list(filters=filters, ignore_removed=True)
        parts = {one.labels[PART]: one for one in found}
        return {part.removeprefix("pod-"): one for part, one in parts.items() if part.startswith("pod-")}

    def start(self, name: str) -> None:
        """Start a killed pod again, with the addresses that it had; nothing runs in it yet. Harmless where it runs."""
        found = self._pod(name)
        if found is not None and found.status != "running":
            with told(f"starting pod {name}"):
                found.start()

    def run_on_machine(self, argv: Sequence[str], *, what: str, pid_mode: Literal["host"] | None = None) -> str:
        """Run a command of the image in the network of the machine itself, and beside its processes where `pid_mode`
        says so; returns what it printed.

        Errors: `DrillError` with its last words.
        """
        with told(what):
            said: bytes = engine.engine().containers.run(
                self._around.image, list(argv), network_mode="host", pid_mode=pid_mode, cap_add=["NET_ADMIN"],
                labels=labels(self._commands.label, "on-machine"), remove=True,
            )  # fmt: skip  # arguments in groups
        return said.decode(errors="replace")

    def inside(self, zone: str) -> list[str]:
        """The words before a command that must run where a customer of the zone stands."""
        return self._in_pod(f"customers-{zone}")

    def outside(self) -> list[str]:
        """The words before a command that must run where customers outside of all zones stand."""
        return self._in_pod(CUSTOMERS)

    def _in_pod(self, name: str) -> list[str]:
        return [sys.executable, "-m", "harness.stacks.docker.inside", "--here", self.pod(name), "--"]

    def _pod(self, name: str) -> Any | None:
        filters: dict[str, Any] = {"label": [f"{RUN}={self._commands.label}", f"{PART}=pod-{name}"]}
        with told(f"looking for pod {name}"):
            found = engine.engine().containers.list(all=True, filters=filters, ignore_removed=True)
        return found[0] if found else None

    def make(self, *, store: str, ours: Mounts, of_zone: Mapping[str, Mounts]) -> None:
        """Make networks and pods. `store`: the name that in each region stands for its storage.

        `ours` is what the customers' pods mount besides, `of_zone` what a zone's pod does.

        Errors: `DrillError` when no free range of addresses is found.
        """
        between = self._claim()
        nets = [self._net(self._subnets.of_zone(index), zone) for index, zone in enumerate(self.zones)]
        first, *others = self.places.regions
        rules = ["NET_ADMIN"]  # so that links can be cut from inside; the components have it not

        def alone(name: str, number: int, region: Layout, more: Sequence[str]) -> None:
            mounted = ours if name == CUSTOMERS else None
            hosts = {store: self.of_place(region.own(STORAGE))}
            self._hold(name, zone="", network=between, number=number, hosts=hosts, volumes=mounted, cap_add=more)

        def in_zone(name: str, zone: str, beyond: int, mounted: Mounts, region: Layout) -> None:
            index, hosts = self.zones.index(zone), {store: self.of_place(region.own(STORAGE))}
            pod = self._hold(
                name, zone=zone, network=between, number=region.zones[zone] + beyond, hosts=hosts, volumes=mounted,
                cap_add=rules,
            )  # fmt: skip  # arguments in groups
            with told(f"connecting {name} to its zone"):
                nets[index].connect(pod, ipv4_address=self._subnets.in_zone(index, IN_ZONE + beyond))

        pods = []
        for one in self.places.regions:
            pods += [partial(alone, name, number, one, rules if others else ()) for name, number in edge(one).items()]
        pods += [partial(alone, name, number, first, ()) for name, number in self.places.outside.items()]
        for one in self.places.regions:
            for zone in one.zones:
                pods.append(partial(in_zone, zone, zone, 0, of_zone[zone], one))
                pods.append(partial(in_zone, f"customers-{zone}", zone, self.places.beyond, ours, one))
        engine.at_once(pods)

    def _hold(
        self, name: str, *, zone: str, network: Any, number: int, hosts: Mapping[str, str],
        volumes: Mounts | None = None, cap_add: Sequence[str] = (),
    ) -> Any:  # fmt: skip  # parameters in groups
        from docker.types import EndpointConfig  # noqa: PLC0415  (see engine)

        end = EndpointConfig(engine.engine().api.api_version, ipv4_address=self._subnets.address(number))
        return make(
            self._commands, self._around, name=f"pod-{name}", zone=zone, argv=FOREVER, hostname=f"zone-{name}",
            init=True, network=network.name, networking_config={network.name: end}, extra_hosts=dict(hosts),
            volumes=volumes, cap_add=list(cap_add),
        )  # fmt: skip  # arguments in groups

    def _claim(self) -> Any:
        for prefix in _candidates(self._commands.label):
            self._subnets = Subnets(prefix, self.places.zone_bits)
            if _routed(prefix):
                continue
            try:
                return self._net(self._subnets.between(), "between")
            except DrillError as error:
                if "overlap" not in error.message:
                    raise
        raise DrillError(
            f"{TRIES} ranges of addresses are in use", hint="docker network ls; `drdrill sweep` frees some"
        )

    def _net(self, subnet: str, name: str) -> Any:
        from docker.types import IPAMConfig, IPAMPool  # noqa: PLC0415  (see engine)

        with told(f"making network {name}"):
            return engine.engine().networks.create(
                f"{self._commands.label}-{name}",
                internal=True,
                labels=labels(self._commands.label, name),
                ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)]),
            )


def _candidates(label: str) -> Iterator[str]:
    first = int.from_bytes(hashlib.sha256(label.encode()).digest()[:4], "big")
    for attempt in range(TRIES):
        number = (first + attempt * 257) % (127 * 256)
        yield f"10.{128 + number // 256}.{number % 256}"


def _routed(prefix: str) -> bool:
    """Whether this machine sends the range somewhere already (a VPN, say)."""
    wanted = ipaddress.ip_network(f"{prefix}.0/24")
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        target, mask = (int.from_bytes(bytes.fromhex(fields[n])[::-1], "big") for n in (1, 7))
        if mask and wanted.overlaps(ipaddress.ip_network((target, bin(mask).count("1")))):
            return True
    return False
