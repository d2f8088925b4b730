"""Databases that a restore could have made: on a place of a real PostgreSQL, of each major version that is here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from harness.errors import Unable
from harness.restores import Point
from harness.restores.programs.machine import ThisMachine, folder_of
from harness.restores.programs.place import OwnPlace
from harness.system import wait
from harness.system.command import Commands
from harness.system.recorder import Memory

LABEL = f"test-proof-{os.getpid()}"
SOON = timedelta(seconds=60)
KEEP = {"wal_keep_size": "1GB", "max_wal_senders": "4", "fsync": "off"}


def here(*versions: int) -> list[int]:
    """Those whose programs are on this machine: 18 comes with the project."""
    found = []
    for version in versions:
        try:
            folder_of("postgres", version)
        except Unable:
            continue
        found.append(version)
    return found


VERSIONS = here(15, 18)


@contextmanager
def place(folder: Path, version: int) -> Iterator[OwnPlace]:
    made = ThisMachine(Commands(Memory(), label=LABEL)).place(folder, version)
    try:
        yield made
    finally:
        assert made.remove() == ""


def up(of: OwnPlace, settings: Mapping[str, str] | None = None) -> OwnPlace:
    of.start({**KEEP, **(settings or {})})
    answers(of)
    return of


def answers(of: OwnPlace) -> bool:
    """Whether it is there and no longer recovers; False once it has ended."""

    def asked() -> bool:
        try:
            with of.connect() as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
                return row is not None and not row[0]
        except psycopg.Error:
            return False

    wait.poll(lambda: asked() or not of.running(), within=SOON)
    return asked()


def cluster(of: OwnPlace, *, checksums: bool = True) -> OwnPlace:
    """An empty one, that runs."""
    off = [] if of.version < 18 else ["--no-data-checksums"]
    of.initialise("--locale=C", "--encoding=UTF8", *(["--data-checksums"] if checksums else off))
    return up(of)


def database(of: OwnPlace, name: str, *statements: str) -> str:
    """A database of that name, in which these were run one by one."""
    with of.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    run(of, name, *statements)
    return name


def run(of: OwnPlace, name: str, *statements: str) -> None:
    with of.connect(name) as connection:
        for statement in statements:
            connection.execute(statement)


def file_of(of: OwnPlace, name: str, relation: str) -> Path:
    with of.connect(name) as connection:
        row = connection.execute("SELECT pg_relation_filepath(%s)", [relation]).fetchone()
    assert row
    return of.data / str(row[0])


def flip(file: Path, at: int, count: int = 1) -> None:
    """Other bytes there than before, and the file's owner as before."""
    with file.open("r+b") as opened:
        opened.seek(at)
        was = opened.read(count)
        assert len(was) == count
        opened.seek(at)
        opened.write(bytes(byte ^ 0xFF for byte in was))


@dataclass
class Original:
    """A server with a base backup of it, and the pieces of its log that came after."""

    server: OwnPlace
    backup: Path

    def beat(self, *, times: int = 1) -> str:
        """Rows, each of a transaction of its own. Returns the number of the last one."""
        with self.server.connect() as connection:
            for _ in range(times):
                row = connection.execute(
                    "INSERT INTO beats SELECT coalesce(max(number), 0) + 1, clock_timestamp() FROM beats"
                    " RETURNING pg_current_xact_id()::text"
                ).fetchone()
        assert row
        return str(row[0])

    def ask(self, sql: str) -> str:
        with self.server.connect() as connection:
            row = connection.execute(sql).fetchone()
        assert row
        return str(row[0])

    def pieces(self) -> list[Path]:
        """The log from its begin to now, as an archive would have it."""
        current = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        files = (self.server.data / "pg_wal").iterdir()
        return sorted(file for file in files if len(file.name) == 24 and file.name <= current)

    def restore(self, into: OwnPlace, pieces: list[Path], point: Point | None = None) -> bool:
        """As a source does it. Returns whether the server came up."""
        wal = into.folder / "wal"
        wal.mkdir(exist_ok=True)
        for piece in pieces:
            shutil.copy(piece, wal / piece.name)
        shutil.copytree(self.backup, into.data, dirs_exist_ok=True)
        settings = {"restore_command": f'cp {wal}/%f "%p"', **(point or Point()).settings}
        into.start({**settings, "fsync": "off"}, recovery=True)
        return answers(into)


@contextmanager
def original(folder: Path, version: int) -> Iterator[Original]:
    with place(folder / "original", version) as server:
        cluster(server)
        run(server, "postgres", "CREATE TABLE beats (number bigint PRIMARY KEY, at timestamptz NOT NULL)")
        backup = folder / "backup"
        words = ("--pgdata", str(backup), "--wal-method=none", "--checkpoint=fast", "--no-password")
        server.run("pg_basebackup", *words, within=SOON)
        yield Original(server, backup)
