"""A database server of the cluster: Patroni, and the PostgreSQL that it starts, with a volume of its own."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.command import Commands, Done
from harness.stacks import wal
from harness.stacks.local.backups import SPOOL
from harness.stacks.local.database_user import DatabaseUser
from harness.stacks.local.network import Network
from harness.stacks.local.postgres import HBA, PORT, PROGRAMS, Roles, dsn, filled_in, program
from harness.stacks.local.process import LocalProcess
from harness.stacks.local.shared_memory import release_shared_memory

SCOPE = "quantumnest"
NAMESPACE = "/drdrill/"
REST = 8008  # Patroni's own port
STOP_LIMIT = timedelta(seconds=20)
PROGRAM_LIMIT = timedelta(minutes=30)  # pg_waldump reads all there is

# Patroni's least `ttl` is 20 s: a leader that vanishes is replaced after about that long.
TIMES = {"ttl": 20, "loop_wait": 2, "retry_timeout": 3}


class LocalMember(LocalProcess):
    """One member. Its process is Patroni; PostgreSQL is what Patroni starts."""

    def __init__(
        self,
        commands: Commands,
        *,
        zone: str,
        folder: Path,
        network: Network,
        user: DatabaseUser,
        roles: Roles,
        sockets: Path,
        stores: Sequence[str],
        settings: Callable[[], Mapping[str, str]],
        env: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__(
            commands, name=f"patroni-{zone}", zone=zone, folder=folder, argv=self._patroni, env=env,
            stop_within=STOP_LIMIT,
        )  # fmt: skip
        self.folder = folder / "zones" / zone
        self.address = network.address(zone)
        self.sockets = sockets / zone
        self._network = network
        self._user = user
        self._roles = roles
        self._stores = tuple(stores)
        self._settings = settings

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    @property
    def data(self) -> Path:
        return self.volume / "data"

    def has_data(self) -> bool:
        """Whether there is a data directory on its volume."""
        return self.data.exists()

    def lose_volume(self) -> None:
        """Remove the volume with all that is on it."""
        shutil.rmtree(self.volume)

    def renew_volume(self) -> None:
        """Give it an empty volume; harmless where it has one."""
        self.volume.mkdir(parents=True, exist_ok=True)

    @property
    def database_log(self) -> Path:
        return self.folder / "log" / "postgresql.log"

    @property
    def dsn(self) -> str:
        return dsn(self.address, PORT, role="postgres", password=self._roles.postgres)

    @property
    def rest(self) -> str:
        """Where this member's Patroni answers."""
        return f"http://{self.address}:{REST}"

    @property
    def configuration(self) -> Path:
        """Patroni's, with the passwords; `patronictl -c` takes it too."""
        return self.folder / "patroni.yml"

    def words(self) -> list[str]:
        """Before a program of the database: into the zone, as the database's user."""
        return [*self._network.inside(self.zone), *self._user.words]

    def read_wal(self, *words: str, segments: Sequence[str], restore_command: str) -> Done:
        """`pg_waldump` over these segments as one log; what is in `pg_wal` no more is fetched. Any exit code.

        They are put together in a folder as if all were of the last one's timeline: pg_waldump reads one timeline,
        and a record may begin in a segment of one and end in a segment of the next.
        """
        folder = self.folder / "wal"
        folder.mkdir(exist_ok=True)
        self._user.own(folder)
        timeline = wal.segment_at(segments[-1])[0]
        for name in segments:
            target = folder / wal.segment_name(timeline, wal.segment_at(name)[1])
            kept = self.data / "pg_wal" / name
            if kept.exists():
                target.unlink(missing_ok=True)
                target.symlink_to(kept)
            elif target.is_symlink() or not target.exists():
                target.unlink(missing_ok=True)
                fetch = filled_in(restore_command, f=name, p=target.name)
                done = self._run("sh", "-c", f"cd {shlex.quote(str(folder))} && {fetch}")
                if not done.ok:
                    target.unlink(missing_ok=True)
                    return done
        shutil.rmtree(folder / SPOOL, ignore_errors=True)
        where = ("--path", str(folder), "--timeline", str(timeline))
        return self._run(program("pg_waldump"), *where, *words)

    def _run(self, *words: str) -> Done:
        return self._commands.run([*self.words(), *words], check=False, within=PROGRAM_LIMIT)

    def own_volume(self) -> None:
        """Make the volume's folder where it is gone, and give all of it to the database's user."""
        for folder in (self.volume, self.database_log.parent, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            self._user.own(folder)
        self.sockets.chmod(0o700)
        if self.data.exists():
            self.data.chmod(0o700)

    def start(self) -> None:
        """Start Patroni; it starts, clones or waits as the cluster's state says."""
        self.own_volume()
        self.configuration.touch(mode=0o600)
        self.configuration.write_text(json.dumps(self._content(), indent=1))  # JSON is YAML
        self._user.own(self.configuration)
        super().start()

    def kill(self) -> None:
        """Also what the kernel keeps for a killed server: its volume may be lost next."""
        super().kill()
        release_shared_memory(self.volume)

    def _patroni(self) -> list[str]:
        return [*self.words(), sys.executable, "-P", "-m", "patroni", str(self.configuration)]

    def _content(self) -> dict[str, Any]:
        roles = self._roles
        passwords = {
            key: {"username": role, "password": roles.password(role)}
            for key, role in (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "postgres"))
        }
        cluster = {
            **TIMES,
            "maximum_lag_on_failover": 1048576,
            "synchronous_mode": "quorum",  # a commit is on one other zone, and only such a zone is promoted
            "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": dict(self._settings())},
        }
        return {
            "scope": SCOPE,
            "namespace": NAMESPACE,
            "name": self.zone,
            "restapi": {"listen": f"{self.address}:{REST}", "connect_address": f"{self.address}:{REST}"},
            "etcd3": {"hosts": list(self._stores)},
            "bootstrap": {"dcs": cluster},
            "postgresql": {
                "listen": f"{self.address}:{PORT}",
                "connect_address": f"{self.address}:{PORT}",
                "data_dir": str(self.data),
                "bin_dir": str(PROGRAMS),
                "pgpass": str(self.sockets / "pgpass"),
                "authentication": passwords,
                "pg_hba": list(HBA),
                "basebackup": [{"checkpoint": "fast"}],
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
                "parameters": {
                    "unix_socket_directories": str(self.sockets),
                    "log_directory": str(self.database_log.parent),
                },
            },
            "watchdog": {"mode": "off"},
        }
