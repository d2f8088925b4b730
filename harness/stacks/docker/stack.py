"""The container stack as one thing: started from nothing in a fixed order, and removed without a trace."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness import clock, wait
from harness.command import Commands
from harness.errors import DrillError, Refused
from harness.recorder import Recorder
from harness.stacks import Backups, Cluster, Component, Condition, Entrance, ObjectStore
from harness.stacks.docker import engine, image
from harness.stacks.docker.ground import DockerGround
from harness.stacks.docker.parts import Parts, put_together, write_backup_settings
from harness.stacks.docker.watching import ALERTMANAGER, PROMETHEUS
from harness.stacks.local.ground import POSTGRES as CLIENTS
from harness.stacks.parts.api import API_PORT
from harness.stacks.parts.first_data import make_first_data
from harness.stacks.parts.ground import Unit
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import PORT, Roles, dsn
from harness.stacks.parts.settings import STALLED, Settings
from harness.stacks.parts.steady import SERVES_WITHIN, Steady
from harness.stacks.parts.tls import Issued, Issuer, make_authority
from harness.stacks.platform import history

ZONES = ("a", "b", "c")
SAVED = "stack.json"
WATCHED_WITHIN = timedelta(seconds=30)
PACKAGES = (
    "postgresql-15", "patroni", "etcd-server", "haproxy", "pgbackrest", "prometheus", "prometheus-alertmanager",
)  # fmt: skip


class DockerStack:
    """Fills the protocol Stack. `entrance`, `cluster`, `backups` and `store` are there once `start` has begun."""

    kind = "docker"
    environment = "containers"
    zones: Sequence[str] = ZONES
    entrance: Entrance
    cluster: Cluster
    backups: Backups
    store: ObjectStore

    def __init__(self, folder: Path, *, recorder: Recorder, label: str, settings: Settings) -> None:
        self.folder = folder.absolute()
        self.commands = Commands(recorder, label=label)
        self.settings = settings
        self._recorder = recorder
        self._use(Roles())
        self._ground: DockerGround | None = None
        self._parts: Parts | None = None

    @classmethod
    def attach(cls, folder: Path, *, recorder: Recorder) -> DockerStack:
        """A stack that another process has started, from what it saved.

        Errors: `Refused` when no stack was started there, or it was removed.
        """
        try:
            saved = json.loads((folder / SAVED).read_text())
        except (OSError, ValueError):
            raise Refused(f"no stack was started in {folder}", hint="`drdrill stack up` starts one") from None
        stack = cls(folder, recorder=recorder, label=saved["label"], settings=Settings.of(saved))
        stack._use(Roles(**saved["roles"]))
        stack._stand(saved["image"], prefix=saved["prefix"])
        stack._build(Issued(stack.folder / "tls"))
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
        with self._timed("image"):
            made = image.make(lambda said: self._recorder.record("stack.part", part=said, seconds=0.0))
        with self._timed("network"):
            ground = self._stand(made)
            self._save(made)  # before anything is made: whoever removes it must know its kind
            ground.make()
            self._save(made)
            parts = self._build(make_authority(self.folder / "tls"))
            write_backup_settings(ground, parts)
        parts.etcd.start()
        parts.store.start()
        for watcher in parts.watchers:
            watcher.start()
        with self._timed("data"):
            make_first_data(
                self._here, parts.members, roles=self._roles,
                transactions=round(history.TRANSACTIONS * self.settings.scale),
            )  # fmt: skip
        with self._timed("etcd"):
            parts.etcd.wait_ready()
        with self._timed("s3"):
            wait.until(parts.store.ready, what="s3 serves", within=SERVES_WITHIN, recorder=self._recorder)
        with self._timed("cluster"):
            for service in (parts.balancer, *parts.services.values()):
                service.start()
            parts.cluster.start()
            parts.backups.prepare()
        steady = self._asked()
        with self._timed("serving"):
            steady.wait_serving()
        with self._timed("first backup"):
            parts.backups.take()
        with self._timed("replication"):
            steady.wait_replicating()
        with self._timed("watching"):
            wait.until(
                lambda: parts.watching.condition().ok, what="the stack is watched", within=WATCHED_WITHIN,
                recorder=self._recorder, last_seen=lambda: parts.watching.condition().seen,
            )  # fmt: skip

    def stop(self) -> None:
        """End everything by force and remove what it made; logs stay. Harmless when nothing runs."""
        remove(self.commands.label, self.folder)

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""
        return self._here.network.inside(zone)

    def beside(self, zone: str) -> Entrance:
        """The zone's own API, as customers of the zone reach it, also while the zone is cut off."""
        return Entrance(self.entrance.host, self._here.network.beside(zone), API_PORT, self.entrance.ca)

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""
        return self._made.services[zone]

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives, is watched: each shown by a real request or query."""
        return [*self._asked().conditions(), self._made.watching.condition()]

    def stall_archiving(self) -> None:
        """For sabotage only: from now on every attempt to archive fails."""
        (self.folder / STALLED).touch()

    def cut(self, zone: str) -> None:
        self._here.network.cut(zone)

    def join(self, zone: str) -> None:
        self._here.network.join(zone)

    def parts(self) -> dict[str, str]:
        asked = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n", *PACKAGES]
        words = self.commands.run([*self._here.words(ZONES[0]), *asked]).out.split()
        return dict(zip(words[::2], words[1::2], strict=True)) | {"docker": str(engine.engine().version()["Version"])}

    def logs(self) -> dict[str, Path]:
        """Component name to its log; the ones that exist."""
        found = {path.stem: path for path in sorted((self.folder / "logs").glob("*.log"))}
        for zone in ZONES:
            for path in sorted((self.folder / "zones" / zone / "log").glob("*.log")):
                found[f"{path.stem}-{zone}"] = path
        return found

    def components(self) -> dict[str, Unit | PatroniMember]:
        """Every component of the stack, by its name."""
        parts = self._made
        found = [*parts.etcd.members, *parts.members, *parts.services.values(), parts.balancer, *parts.watchers]
        return {component.name: component for component in (*found, *parts.store.units)}

    def explore(self) -> dict[str, Any]:
        """For people: addresses, and the words and the environment with which its database and API are asked."""
        entrance, parts, network = self.entrance, self._made, self._here.network
        where = f"{entrance.host}:{entrance.port}"
        servers = ",".join(member.address for member in parts.members)
        target = dsn(servers, PORT, role="postgres", password="")
        words = [word for word in target.split() if word.startswith(("host=", "port=", "dbname=", "user="))]
        database = " ".join([*words, "target_session_attrs=read-write"])
        return {
            "addresses": {
                "entrance": f"https://{where} at {entrance.address}",
                "storage": f"{parts.store.url}, bucket {parts.vault.bucket.name}",
                "prometheus": f"http://{network.watch}:{PROMETHEUS}",
                "alerts": f"http://{network.watch}:{ALERTMANAGER}",
                **{f"zone {member.zone}": f"{member.address}, Patroni {member.rest}" for member in parts.members},
                "containers": f"docker ps --filter label={engine.RUN}={self.commands.label}",
            },
            "dsn": database,
            "psql": ["psql", f'"{database}"'],
            "curl": ["curl", "--cacert", str(entrance.ca), "--resolve", f"{where}:{entrance.address}",
                     f"https://{where}/ready"],
            "environment": {
                "PGPASSWORD": self._roles.postgres,
                "PATH": f"{CLIENTS}:{os.environ.get('PATH', os.defpath)}",
            },
        }  # fmt: skip

    @property
    def _made(self) -> Parts:
        assert self._parts is not None, "the stack was not started"
        return self._parts

    @property
    def _here(self) -> DockerGround:
        assert self._ground is not None, "the stack was not started"
        return self._ground

    def _asked(self) -> Steady:
        return Steady(self.entrance, self.cluster, self.backups, self.settings.archive_timeout, self._recorder)

    def _use(self, roles: Roles) -> None:
        self._roles = roles
        self.secrets = list(roles.all().values())

    def _stand(self, made: str, *, prefix: str = "") -> DockerGround:
        self._ground = DockerGround(self.folder, commands=self.commands, image=made, zones=ZONES, prefix=prefix)
        return self._ground

    def _build(self, authority: Issuer) -> Parts:
        parts = put_together(self._here, roles=self._roles, authority=authority, chosen=self.settings)
        self._parts = parts
        self.cluster, self.backups, self.entrance, self.store = (
            parts.cluster,
            parts.backups,
            parts.entrance,
            parts.vault,
        )
        return parts

    def _save(self, made: str) -> None:
        """Write down what another process needs in order to go on with the stack, or to remove it."""
        saved = {
            "kind": self.kind,
            "label": self.commands.label,
            "image": made,
            "prefix": self._here.network.prefix,
            "roles": self._roles.all(),
            **self.settings.saved(),
        }
        file = self.folder / SAVED
        file.touch(mode=0o600)
        file.write_text(json.dumps(saved, indent=1))

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begin = clock.mono()
        yield
        self._recorder.record("stack.part", part=what, seconds=round(clock.since(begin).total_seconds(), 3))


def remove(label: str, folder: Path) -> None:
    """Remove what a container stack has left, in any process; logs stay. Harmless where nothing is left."""
    engine.remove(label)
    for path in folder.glob("*"):
        if path.name == "logs":
            continue
        if path.name == "zones":
            for part in path.glob("*/*"):
                if part.name != "log":
                    _remove(part)
        else:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
