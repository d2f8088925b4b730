"""A small PostgreSQL 15 server of Debian's programs, that is backed up; and a bare place to restore it into."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness.system import wait
from harness.system.command import Commands, Done
from harness.system.recorder import Memory

BIN = Path("/usr/lib/postgresql/15/bin")
ACCOUNT = "postgres"  # whom its programs run as where root runs the tests: they refuse root
COMMANDS = Commands(Memory(), label="unit")
WITHIN = timedelta(seconds=60)


def as_account() -> list[str]:
    """The words before a program of PostgreSQL's."""
    if os.geteuid():
        return []
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]


def own(folder: Path) -> Path:
    """Give a new folder to that account."""
    folder.mkdir(parents=True, mode=0o755)
    if not os.geteuid():
        who = pwd.getpwnam(ACCOUNT)
        os.chown(folder, who.pw_uid, who.pw_gid)
    return folder


def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*as_account(), *map(str, words)], capture_output=True, text=True, check=False, cwd="/")
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

    def make(self, *words: str) -> None:
        run(BIN / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", *words)
        self.start()

    def start(self) -> None:
        usual = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "port": "5432", "fsync": "off"}
        options = {**usual, **self.settings}
        text = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        run(BIN / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-o", text, "-w", "-s", "start")

    def sql(self, *statements: str) -> list[Any]:
        """What the last one answers."""
        found: list[Any] = []
        with closing(self.connect()) as connection:
            for statement in statements:
                done = connection.execute(statement)
                found = done.fetchall() if done.description else []
        return found

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def switch(self, files: Path, suffix: str = "") -> str:
        """End the segment that is written, and wait until it is archived; its name."""
        name = str(self.sql("SELECT pg_walfile_name(pg_switch_wal())")[0][0])
        there = wait.poll(lambda: [*files.rglob(f"{name}{suffix}*")], within=WITHIN)
        assert there, f"{name} is not archived"
        return name

    def stop(self) -> None:
        run(BIN / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "-s", "stop", check=False)


class BareMachine:
    """Fills `Programs` with those of this machine, and keeps nothing from anything."""

    said = "this machine"

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        return [str(BIN / program) if version else program]

    def place(self, folder: Path, version: int) -> BarePlace:
        return BarePlace(folder, version)


class BarePlace:
    """Fills as much of `Place` as a source needs, and recovers what it brought."""

    isolation = ""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder, self.version = folder, version
        self.data = folder / "data"
        folder.mkdir(mode=0o700)
        self.data.mkdir(mode=0o700)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def run(
        self, program: str, *words: str, within: timedelta, env: Mapping[str, str] | None = None, check: bool = True,
        stdin: Path | None = None,
    ) -> Done:  # fmt: skip  # parameters in groups
        assert stdin is None
        return COMMANDS.run([BIN / program, *words], within=within, env=env, check=check)

    def recover(self, wal: Path | None) -> Server:
        """The server, once it has replayed all that there is. As root all of it is given to the account before."""
        restore = f"cp {wal or '/nonexistent'}/%f %p"
        (self.data / "postgresql.auto.conf").write_text(f"restore_command = '{restore}'\n")
        (self.data / "recovery.signal").touch()
        if not os.geteuid():
            subprocess.run(["chown", "-R", f"{ACCOUNT}:", self.folder], check=True)
        server = Server(self.folder, {"archive_mode": "off", "hot_standby": "off"})
        server.start()
        return server
