"""A database server of the cluster: Patroni, and the PostgreSQL that it starts, with a volume of its own."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from harness.errors import NotReady, Refused
from harness.stacks.capabilities.database import FilesLost
from harness.stacks.capabilities.pages import Replaced
from harness.stacks.parts import proof, wal
from harness.stacks.parts.ground import Ground, Renumbered, Runs
from harness.stacks.parts.index_pages import IndexPages
from harness.stacks.parts.lost_files import LostFiles
from harness.stacks.parts.pages import Pages
from harness.stacks.parts.postgres import HBA, PORT, Roles, dsn, filled_in
from harness.stacks.parts.wal import SPOOL
from harness.stacks.stand_in import NAME
from harness.system.clock import Moment
from harness.system.command import Done
from harness.system.http import DIRECT

SCOPE = NAME
NAMESPACE = "/drdrill/"
REST = 8008  # Patroni's own port
NOTHING: Mapping[str, Any] = MappingProxyType({})
PATIENCE = 2.0  # seconds for a connection
STARTED_ANEW = timedelta(seconds=60)
COPY = "standby.signal"  # PostgreSQL's own word, in the data directory of a server that is to follow another
STOP_LIMIT = timedelta(seconds=20)
PROGRAM_LIMIT = timedelta(minutes=30)  # pg_waldump reads all there is

# Patroni's least `ttl` is 20 s: a leader that vanishes is replaced after about that long. It gives up by itself when it
# has not reached etcd for `retry_timeout`: as long as loop_wait + 2 * retry_timeout fits into `ttl`, so that it has
# given up before anybody else can lead. With less, a link that comes and goes, whose etcd needs a while after each time
# that it is back, made a busy machine's leader give up twice.
TIMES = {"ttl": 20, "loop_wait": 2, "retry_timeout": 9}


class PatroniMember:
    """One member. Its unit is Patroni; PostgreSQL is what Patroni starts."""

    def __init__(
        self,
        ground: Ground,
        *,
        zone: str,
        sockets: Path,
        roles: Roles,
        stores: Sequence[str],
        settings: Callable[[], Mapping[str, str]],
        env: Callable[[], Mapping[str, str]] = dict,
        synchronous: Mapping[str, Any],
        regional: Mapping[str, Any] = NOTHING,
        kept_off: Callable[[], str] = str,
    ) -> None:
        """`regional`: what the cluster's first configuration says of other regions. `kept_off`: why it must not run,
        in words; empty where it may."""
        self.name = f"patroni-{zone}"
        self.zone = zone
        self.folder = ground.folder / "zones" / zone
        self.address = ground.address(zone)
        self.sockets = sockets
        self.ground = ground
        self._unit = ground.unit(
            self.name, zone=zone, runs=Runs.DATABASE, argv=self._patroni, env=env, stop_within=STOP_LIMIT
        )
        self._roles = roles
        self._stores = tuple(stores)
        self._settings = settings
        self._synchronous = synchronous
        self._regional = regional
        self._kept_off = kept_off

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
    def log(self) -> Path:
        return self._unit.log

    @property
    def dsn(self) -> str:
        return dsn(self.address, PORT, role="postgres", password=self._roles.postgres)

    @property
    def password(self) -> str:
        """Of the superuser."""
        return self._roles.postgres

    @property
    def door(self) -> tuple[str, int]:
        """Where it takes connections."""
        return self.address, PORT

    def ask(self) -> None:
        """A query. Errors: `OSError` where it has no answer."""
        try:
            with psycopg.connect(self.dsn, autocommit=True, connect_timeout=round(PATIENCE)) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise OSError(str(error).strip()) from error

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
        return self.ground.words(self.zone)

    def read_changes(self, *words: str, files: Sequence[str], fetch: str) -> Done:
        """`pg_waldump` over these segments as one log; what is in `pg_wal` no more is fetched. Any exit code.

        They are put together in a folder as if all were of the last one's timeline: pg_waldump reads one timeline,
        and a record may begin in a segment of one and end in a segment of the next.
        """
        folder = self.folder / "wal"
        folder.mkdir(exist_ok=True)
        self.ground.own(folder)
        for left in folder.iterdir():  # by an earlier drill, say: pg_waldump opens any file of its folder first
            if left.is_symlink() and not left.exists():
                left.unlink()
        timeline = wal.segment_at(files[-1])[0]
        for name in files:
            target = folder / wal.segment_name(timeline, wal.segment_at(name)[1])
            kept = self.data / "pg_wal" / name
            if kept.exists():
                target.unlink(missing_ok=True)
                target.symlink_to(kept)
            elif target.is_symlink() or not target.exists():
                target.unlink(missing_ok=True)
                fetching = filled_in(fetch, f=name, p=target.name)
                done = self._run("sh", "-c", f"cd {shlex.quote(str(folder))} && {fetching}")
                if not done.ok:
                    target.unlink(missing_ok=True)
                    return done
        shutil.rmtree(folder / SPOOL, ignore_errors=True)
        where = ("--path", str(folder), "--timeline", str(timeline))
        return self._run(*self.ground.program("pg_waldump"), *where, *words)

    def has_written(self, timeline: int, *, past: int) -> bool:
        """Whether its log has a record at or after this position, on this timeline. For a server that is down."""
        log = self.data / "pg_wal"
        if not (log / wal.segment_name(timeline, past // wal.SEGMENT)).exists():  # pg_waldump would wait for it
            return False
        where = ("--path", str(log), "--timeline", str(timeline), "--start", wal.lsn(past))
        done = self._run(*self.ground.program("pg_waldump"), *where, "--limit", "1")
        return done.ok and bool(done.out.strip())

    def _run(self, *words: str) -> Done:
        return self.ground.commands.run([*self.words(), *words], check=False, within=PROGRAM_LIMIT)

    def own_volume(self) -> None:
        """Make the volume's folder where it is gone, and give all of it to the database's user."""
        for folder in (self.volume, self.database_log.parent, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            self.ground.own(folder)
        self.sockets.chmod(0o700)
        if self.data.exists():
            self.data.chmod(0o700)

    def start(self) -> None:
        """Start Patroni; it starts, clones or waits as the cluster's state says.

        Errors: `Refused` where it is kept off.
        """
        self._must_not_be_kept_off()
        if isinstance(self.ground, Renumbered) and not self.alive():
            self.ground.forget_numbers((self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"))
        self.own_volume()
        self.configuration.touch(mode=0o600)
        self.configuration.write_text(json.dumps(self._content(), indent=1))  # JSON is YAML
        self.ground.own(self.configuration)
        self._unit.start()
        if self._kept_off():  # fenced meanwhile: whoever did it may not have seen it start
            self.kill()
            self._must_not_be_kept_off()

    @property
    def kept_off(self) -> str:
        """Why it must not run, in words; empty where it may."""
        return self._kept_off()

    def _must_not_be_kept_off(self) -> None:
        if why := self._kept_off():
            raise Refused(f"{self.name} is kept off: {why}", hint="a person who knows who leads ends the fence")

    def stop(self) -> None:
        self._unit.stop()

    def ask_to_stop(self) -> None:
        self._unit.ask_to_stop()

    def wait_stopped(self) -> None:
        self._unit.wait_stopped()

    def kill(self) -> Moment | None:
        """Also what the kernel keeps for a killed server: its volume may be lost next."""
        moment = self._unit.kill()
        self.ground.release(self.volume)
        return moment

    def pause(self) -> Moment | None:
        return self._unit.pause()

    def resume(self) -> Moment | None:
        return self._unit.resume()

    def running(self) -> bool:
        return self._unit.running()

    def alive(self) -> bool:
        """Whether its Patroni or its PostgreSQL runs: one may outlive the other."""
        return self._unit.alive()

    def fill_volume(self) -> Moment | None:
        return self._unit.fill()

    def free_volume(self) -> Moment | None:
        return self._unit.free()

    def volume_is_full(self) -> bool:
        return self._unit.full()

    def refused_write(self) -> str:
        """Asked by a query that sorts more than fits into its memory: standbys take it, too, and it leaves nothing."""
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                connection.execute("SET work_mem = '64kB'")
                connection.execute(
                    "SELECT count(*) FROM (SELECT random() FROM generate_series(1, 2000000) ORDER BY 1) AS drawn"
                )
        except (psycopg.OperationalError, psycopg.InternalError) as error:  # "File too large" is an internal one
            return str(error).strip().splitlines()[0]
        return ""

    def lose_files(self, which: FilesLost) -> Moment | None:
        return self._lost_files.lose(which)

    def files_lost(self, which: FilesLost) -> str:
        return self._lost_files.lost(which)

    def return_files(self, which: FilesLost) -> Moment | None:
        return self._lost_files.put_back(which)

    @property
    def _lost_files(self) -> LostFiles:
        return LostFiles(self.data, self.folder / "lost-files", self.dsn, self._pages.made)

    def pages(self, relation: str) -> int:
        return self._pages.pages(relation)

    def missed(self, relation: str, number: int) -> bool:
        return self._pages.missed(relation, number)

    def page(self, relation: str, number: int) -> bytes:
        return self._pages.page(relation, number)

    def read_page(self, relation: str, number: int) -> bytes:
        return self._pages.read_page(relation, number)

    def foreign_page(self, relation: str, number: int) -> bytes:
        return self._pages.foreign_page(relation, number)

    def replace_page(self, relation: str, number: int, change: Callable[[bytes], bytes]) -> Moment | None:
        """A copy that has no other way to forget a page is started anew by its Patroni."""
        try:
            return self._pages.replace_page(relation, number, change)
        except NotReady:
            if not (self.data / COPY).exists():
                raise
            DIRECT.ask("POST", f"{self.rest}/restart", sends={}, within=STARTED_ANEW)
            return self._pages.replace_page(relation, number, change)

    def replaced_page(self, relation: str, number: int) -> Replaced | None:
        return self._pages.replaced_page(relation, number)

    def restore_page(self, relation: str, number: int) -> Moment | None:
        return self._pages.restore_page(relation, number)

    def verify_pages(self) -> str:
        return proof.pages(self, password=self._roles.replicator)

    def verify_structure(self) -> str:
        return proof.structure(self)

    @property
    def made(self) -> str:
        """What tells its data from data that is made anew in its place. Errors: `NotReady` where it has none."""
        return self._pages.made()

    def leaves(self, index: str) -> list[int]:
        return IndexPages(self.dsn).leaves(index)

    def unmatched(self, index: str, other: str) -> list[int]:
        return IndexPages(self.dsn).unmatched(index, other)

    def fitted(self, page: bytes, number: int) -> bytes:
        return IndexPages(self.dsn).fitted(page, number)

    @property
    def _pages(self) -> Pages:
        return Pages(self.data, self.folder / "pages", self.dsn)

    def freeze_manager(self) -> None:
        """Patroni; its PostgreSQL goes on."""
        self._unit.freeze_first()

    def thaw_manager(self) -> None:
        self._unit.thaw_first()

    def must_run(self) -> None:
        self._unit.must_run()

    def _patroni(self) -> list[str]:
        return [*self.ground.program("patroni"), str(self.configuration)]

    def _content(self) -> dict[str, Any]:
        roles, ground = self._roles, self.ground
        passwords = {
            key: {"username": role, "password": roles.password(role)}
            for key, role in (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "postgres"))
        }
        cluster = {
            **TIMES,
            "maximum_lag_on_failover": 1048576,
            **self._synchronous,
            **self._regional,
            "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": dict(self._settings())},
        }
        listen = ground.listen(self.zone)
        return {
            "scope": SCOPE,
            "namespace": NAMESPACE,
            "name": self.zone,
            "restapi": {"listen": f"{listen}:{REST}", "connect_address": f"{self.address}:{REST}"},
            "etcd3": {"hosts": list(self._stores)},
            "bootstrap": {"dcs": cluster},
            "postgresql": {
                "listen": f"{listen}:{PORT}",
                "connect_address": f"{self.address}:{PORT}",
                "data_dir": str(self.data),
                "bin_dir": str(Path(ground.program("postgres")[0]).parent),
                "pgpass": str(self.sockets / "pgpass"),
                "authentication": passwords,
                "pg_hba": list(HBA),
                "basebackup": [{"checkpoint": "fast"}],
                "remove_data_directory_on_rewind_failure": True,
                "remove_data_directory_on_diverged_timelines": True,
                "parameters": {
                    "unix_socket_directories": str(self.sockets),
                    "log_directory": str(self.database_log.parent),
                    **({"drdrill.server": self.address} if listen != self.address else {}),  # answers name it so
                },
            },
            "watchdog": {"mode": "off"},
        }
