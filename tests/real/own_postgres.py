"""A small PostgreSQL 15 server of Debian's programs, that is backed up; and what of it was restored beside."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness.restores import Brought, Kept, Point, Source
from harness.restores.programs.machine import ThisMachine
from harness.restores.programs.place import OwnPlace
from harness.system import wait
from harness.system.command import Commands
from harness.system.recorder import Memory

BIN = Path("/usr/lib/postgresql/15/bin")
ACCOUNT = "postgres"  # whom its programs run as where root runs the tests: they refuse root
FACTS = Memory()
COMMANDS = Commands(FACTS, label="unit")
MACHINE = ThisMachine(COMMANDS)
WITHIN = timedelta(seconds=120)


@contextmanager
def everybodys() -> Iterator[Path]:
    """A folder that the account may enter, which pytest's own is not; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="original-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def own(folder: Path) -> Path:
    """A new folder, that account's, which everybody may enter."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    if not os.geteuid():
        who = pwd.getpwnam(ACCOUNT)
        os.chown(folder, who.pw_uid, who.pw_gid)
    return folder


def as_account() -> list[str]:
    """Words before those of a program that is to run as that account; none where we are it already."""
    return [] if os.geteuid() else ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]


def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A program, as that account."""
    argv = [*as_account(), *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


@dataclass
class Server:
    """In a folder of its own, reached by a socket file alone."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """With checksums, and running."""
        run(BIN / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-k")
        usual = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "port": "5432", "fsync": "off"}
        text = "".join(f"{name} = '{value}'\n" for name, value in (usual | dict(self.settings)).items())
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text)
        run(BIN / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-s", "start")

    def sql(self, *statements: str) -> list[Any]:
        """What the last one answers."""
        with closing(self.connect()) as connection:
            cursors = [connection.execute(statement.encode()) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def switch(self) -> str:
        """End the segment that is written, and wait until it is archived; its name."""
        name = str(self.sql("SELECT pg_walfile_name(pg_switch_wal())")[0][0])
        done = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
        assert wait.poll(lambda: str(self.sql(done)[0][0])[:24] >= name, within=WITHIN), f"{name} is not archived"
        return name

    def stop(self) -> None:
        run(BIN / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "-s", "stop", check=False)


@dataclass(frozen=True)
class Beside:
    """A backup that was restored. `log`: what the server said while it recovered."""

    place: OwnPlace
    brought: Brought
    log: str

    def sql(self, statement: str) -> Any:
        """The first column of the first row."""
        with closing(self.place.connect()) as connection:
            row = connection.execute(statement.encode()).fetchone()
            return row[0] if row else None


def brought(source: Source, kept: Kept, folder: Path) -> Brought:
    """What a source did and said; no server recovers it, and nothing of it is left."""
    place = MACHINE.place(folder, kept.version)
    try:
        return source.bring(kept, place, point=Point(), within=WITHIN)
    finally:
        assert not place.remove()


@contextmanager
def restored(source: Source, kept: Kept, folder: Path) -> Iterator[Beside]:
    """In a place of this machine, recovered to the end of the archive; nothing of it is left afterwards."""
    place = MACHINE.place(folder, kept.version)
    try:
        done = source.bring(kept, place, point=Point(), within=WITHIN)
        place.start({"restore_command": f'cp {done.wal}/%f "%p"'} if done.wal else {}, recovery=True)
        ready = wait.poll(lambda: _ready(place) or not place.running(), within=WITHIN)
        log = place.log.read_text()
        assert ready and place.running(), log
        yield Beside(place, done, log)
    finally:
        left = place.remove()
    assert not left and not folder.exists()


def _ready(place: OwnPlace) -> bool:
    try:
        with closing(place.connect()) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            return row is not None and not row[0]
    except psycopg.OperationalError:
        return False
