"""etcd, one member a zone: the store by which Patroni knows who leads."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from harness.errors import DrillError, NotReady
from harness.stacks.parts.ground import Beside, Ground, Runs
from harness.system import wait
from harness.system.http import DIRECT, Http, NoAnswer
from harness.system.recorder import Recorder

CLIENTS, PEERS = 2379, 2380  # ports
SLOW_START = timedelta(seconds=30)
PATIENCE = timedelta(seconds=1)
READS = 2  # seconds for an answer that a majority agrees on


class Etcd:
    """The members, and the one question the cluster asks: forget what you know."""

    def __init__(self, ground: Ground, *, zones: Sequence[str] = ()) -> None:
        """`zones`: where a member stands; none: in every zone."""
        self._ground = ground
        self._zones = tuple(zones or ground.zones)
        self.members = [
            ground.unit(f"etcd-{zone}", zone=zone, runs=Runs.PART, argv=partial(self._argv, zone))
            for zone in self._zones
        ]

    @property
    def recorder(self) -> Recorder:
        return self._ground.commands.recorder

    def endpoints(self) -> list[str]:
        """`address:port` of every member."""
        return [f"{self._ground.store_address(zone)}:{CLIENTS}" for zone in self._zones]

    def start(self) -> None:
        """Start all; `wait_ready` waits."""
        for member in self.members:
            member.start()

    def wait_ready(self) -> None:
        """Until every member answers that the store is healthy. Errors: `NotReady`, `NotInTime`."""
        wait.until(
            self.healthy, what="etcd is healthy", within=SLOW_START, recorder=self._ground.commands.recorder,
            last_seen=lambda: ", ".join(f"{m.name} {'runs' if m.running() else 'has ended'}" for m in self.members),
        )  # fmt: skip  # arguments in groups

    def healthy(self) -> bool:
        """Whether every member takes part in a majority."""
        for member in self.members:
            member.must_run()
        return all(says_healthy(endpoint) for endpoint in self.endpoints())

    def read(self, key: str) -> str:
        """What is stored at a key, as a majority says; empty where nothing is.

        Each member is asked in its own zone, until one answers: one that is cut off has no majority, and says nothing.
        Errors: `NotReady` where none does.
        """
        ground = self._ground
        for zone in self._zones:
            if isinstance(ground, Beside) and (address := ground.beside(zone)):
                if (said := _ranged(f"{address}:{CLIENTS}", key)) is not None:
                    return said
                continue
            where = f"--endpoints={ground.store_address(zone)}:{CLIENTS}"
            asked = [where, f"--dial-timeout={READS}s", f"--command-timeout={READS}s", "get", "--print-value-only", key]
            with suppress(DrillError):  # where the zone has no power, nobody can be sent there
                words = [*ground.words(zone), *ground.program("etcdctl"), *asked]
                done = ground.commands.run(words, env={"ETCDCTL_API": "3"}, check=False, quiet=True)
                if done.ok:
                    return done.out.strip()
        raise NotReady("no member of the consensus store has a majority", hint="read the logs of etcd")

    def forget(self, prefix: str) -> None:
        """Delete every key below the prefix, as `patronictl remove` does. Errors: `CommandFailed`."""
        self._told("del", "--prefix", prefix)

    def write(self, key: str, value: str) -> None:
        """Errors: `CommandFailed`."""
        self._told("put", key, value)

    def _told(self, *words: str) -> None:
        ground = self._ground
        options = [f"--endpoints={','.join(self.endpoints())}", "--command-timeout=10s"]
        told = [*ground.words(self._zones[0]), *ground.program("etcdctl"), *options, *words]
        ground.commands.run(told, env={"ETCDCTL_API": "3"})

    def _argv(self, zone: str) -> list[str]:
        ground = self._ground
        address, listen = ground.store_address(zone), ground.store_listen(zone)
        peers = ",".join(f"{one}=http://{ground.store_address(one)}:{PEERS}" for one in self._zones)
        return [
            *ground.program("etcd"),
            f"--name={zone}",
            f"--data-dir={ground.folder / 'etcd' / zone}",
            f"--listen-client-urls=http://{listen}:{CLIENTS}",
            f"--advertise-client-urls=http://{address}:{CLIENTS}",
            f"--listen-peer-urls=http://{listen}:{PEERS}",
            f"--initial-advertise-peer-urls=http://{address}:{PEERS}",
            f"--initial-cluster={peers}",
            "--initial-cluster-state=new",
            "--logger=zap",
            "--log-level=warn",
        ]


def _ranged(endpoint: str, key: str, http: Http = DIRECT) -> str | None:
    """What a majority says is stored at a key, by the member at `address:port`; None where that says nothing."""
    asked = {"key": base64.b64encode(key.encode()).decode()}
    try:
        answer = http.ask("POST", f"http://{endpoint}/v3/kv/range", sends=asked, within=timedelta(seconds=READS))
    except NoAnswer:
        return None
    if answer.status != 200:
        return None
    found = answer.json().get("kvs") or [{}]
    return base64.b64decode(found[0].get("value", "")).decode().strip()


def says_healthy(endpoint: str, http: Http = DIRECT) -> bool:
    """Whether the member at `address:port` says that it takes part in a majority."""
    try:
        answer = http.ask("GET", f"http://{endpoint}/health", within=PATIENCE)
    except NoAnswer:
        return False
    return answer.status == 200 and b'"true"' in answer.body
