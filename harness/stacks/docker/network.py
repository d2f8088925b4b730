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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.stacks.docker import engine
from harness.stacks.docker.container import Surroundings, make
from harness.stacks.docker.engine import PART, RUN, labels, told
from harness.system import wait
from harness.system.clock import Moment
from harness.system.command import Commands

ENTRANCES, STORAGE, WATCH, CUSTOMERS = ("entrance-1", "entrance-2"), "storage", "watch", "customers"
# Pods outside the zones: last number of the address.
OF_ITS_OWN = {**dict(zip(ENTRANCES, (5, 6), strict=True)), STORAGE: 10, WATCH: 15, CUSTOMERS: 18}
FIRST_ZONE, FIRST_CUSTOMERS = 21, 41
TRIES = 20
Mounts = Mapping[str, Mapping[str, str]]
FOREVER = ["sleep", "infinity"]
GONE = timedelta(seconds=10)


@dataclass(frozen=True)
class Subnets:
    """A /24 of 10/8, cut in four: between the zones, and one for each zone."""

    prefix: str  # "10.143.7"

    def between(self) -> str:
        return f"{self.prefix}.0/26"

    def of_zone(self, index: int) -> str:
        return f"{self.prefix}.{64 * (index + 1)}/26"

    def address(self, number: int) -> str:
        return f"{self.prefix}.{number}"

    def in_zone(self, index: int, number: int) -> str:
        return f"{self.prefix}.{64 * (index + 1) + number}"


class DockerNetwork:
    """The addresses of one stack, and the pods that hold them."""

    def __init__(self, commands: Commands, around: Surroundings, *, zones: Sequence[str], prefix: str = "") -> None:
        self.zones = tuple(zones)
        self._commands = commands
        self._around = around
        self._subnets = Subnets(prefix)

    @property
    def prefix(self) -> str:
        return self._subnets.prefix

    @property
    def storage(self) -> str:
        return self.of_place(STORAGE)

    @property
    def watch(self) -> str:
        return self.of_place(WATCH)

    def of_place(self, place: str) -> str:
        """Of a pod outside of the zones."""
        return self._subnets.address(OF_ITS_OWN[place])

    def address(self, zone: str) -> str:
        """Of the zone's components, as the other zones reach them."""
        return self._subnets.address(FIRST_ZONE + self.zones.index(zone))

    def customers(self, zone: str) -> str:
        """Of the zone's customers, as the other zones see them."""
        return self._subnets.address(FIRST_CUSTOMERS + self.zones.index(zone))

    def zone_address(self, zone: str) -> str:
        """Of the zone's components, on the zone's own network: what a cut leaves alone."""
        return self._subnets.in_zone(self.zones.index(zone), FIRST_ZONE)

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

    def start(self, name: str) -> None:
        """Start a killed pod again, with the addresses that it had; nothing runs in it yet. Harmless where it runs."""
        found = self._pod(name)
        if found is not None and found.status != "running":
            with told(f"starting pod {name}"):
                found.start()

    def run_on_machine(self, argv: Sequence[str], *, what: str) -> str:
        """Run a command of the image in the network of the machine itself; returns what it printed.

        Errors: `DrillError` with its last words.
        """
        with told(what):
            said: bytes = engine.engine().containers.run(
                self._around.image, list(argv), network_mode="host", cap_add=["NET_ADMIN"], remove=True,
                labels=labels(self._commands.label, "on-machine"),
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

    def make(self, *, hosts: Mapping[str, str], ours: Mounts, of_zone: Mapping[str, Mounts]) -> None:
        """Make networks and pods. `hosts`: names, and the pods outside the zones that they stand for.

        `ours` is what the customers' pods mount besides, `of_zone` what a zone's pod does.

        Errors: `DrillError` when no free range of addresses is found.
        """
        between = self._claim()
        nets = [self._net(self._subnets.of_zone(index), zone) for index, zone in enumerate(self.zones)]
        known = {name: self._subnets.address(OF_ITS_OWN[place]) for name, place in hosts.items()}

        def alone(name: str, number: int) -> None:
            mounted = ours if name == CUSTOMERS else None
            self._hold(name, zone="", network=between, number=number, hosts=known, volumes=mounted)

        def in_zone(name: str, index: int, first: int, mounted: Mounts) -> None:
            pod = self._hold(
                name, zone=self.zones[index], network=between, number=first + index, hosts=known, volumes=mounted,
                cap_add=["NET_ADMIN"],  # so that its link can be cut from inside; the components have it not
            )  # fmt: skip  # arguments in groups
            with told(f"connecting {name} to its zone"):
                nets[index].connect(pod, ipv4_address=self._subnets.in_zone(index, first))

        pods = [partial(alone, name, number) for name, number in OF_ITS_OWN.items()]
        for index, zone in enumerate(self.zones):
            pods.append(partial(in_zone, zone, index, FIRST_ZONE, of_zone[zone]))
            pods.append(partial(in_zone, f"customers-{zone}", index, FIRST_CUSTOMERS, ours))
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
            self._subnets = Subnets(prefix)
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
