"""Small servers of PostgreSQL that Barman backs up: into a barman_home that is not drdrill's, and into an S3 store."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness.restores import Brought, Kept, Point, Source
from harness.restores.programs.machine import ThisMachine, folder_of
from harness.restores.programs.place import OwnPlace
from harness.system import wait
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests.real.own_postgres import ACCOUNT, own

LABEL = f"test-barman-{os.getpid()}"
COMMANDS = Commands(Memory(), label=LABEL)
WITHIN = timedelta(minutes=3)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
CONFIG = """\
[barman]
barman_home = {home}
barman_user = {user}
log_file = {log}
compression = gzip
immediate_checkpoint = true
"""
SERVER = """\
[{name}]
description = {name}
conninfo = host={folder} user=postgres dbname=postgres
streaming_conninfo = host={folder} user=postgres dbname=postgres
backup_method = postgres
archiver = on
path_prefix = {bin}
{more}
"""


def as_account() -> list[str]:
    """The words before a program of PostgreSQL's, which refuses root."""
    if os.geteuid():
        return []
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--"]


def run(*words: str | Path, **env: str) -> str:
    """What it printed."""
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, cwd="/", env={**os.environ, **env}
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@dataclass
class Server:
    """With a table of 1000 rows, another one in a tablespace, and page checksums. Its archive is `incoming`."""

    name: str
    version: int
    folder: Path
    incoming: Path

    @property
    def bin(self) -> Path:
        return folder_of("postgres", self.version)

    def make(self) -> None:
        own(self.folder)
        own(self.folder / "space")
        data = self.folder / "data"
        run(*as_account(), self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--data-checksums")
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off", "wal_level": "replica",
            "archive_mode": "on", "archive_command": f"test ! -f {self.incoming}/%f && cp %p {self.incoming}/%f",
            **({"summarize_wal": "on"} if self.version >= 17 else {}),
        }  # fmt: skip  # settings in groups
        words = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        start = ["-l", self.folder / "log", "-o", words, "-w", "-s", "start"]
        run(*as_account(), self.bin / "pg_ctl", "-D", data, *start)
        self.sql(f"CREATE TABLESPACE big LOCATION '{self.folder}/space'")
        self.sql("CREATE TABLE far (id int) TABLESPACE big")
        self.sql("CREATE TABLE t AS SELECT id, repeat('x', 200) AS filled FROM generate_series(1, 1000) id")
        self.sql("INSERT INTO far SELECT generate_series(1, 1000)")

    def sql(self, statement: str) -> list[Any]:
        with closing(psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)) as it:
            done = it.execute(statement)
            return done.fetchall() if done.description else []

    def switch(self) -> str:
        """End the piece of the log that is written, and wait until it has come in; its name."""
        name = str(self.sql("SELECT pg_walfile_name(pg_switch_wal())")[0][0])
        assert wait.poll((self.incoming / name).exists, within=WITHIN), f"{name} is not archived"
        return name

    def stop(self) -> None:
        words = [*as_account(), self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-s", "stop"]
        subprocess.run([*map(str, words)], check=False, cwd="/")


@dataclass
class Ground:
    """Servers of both versions, and a barman_home with both of them. `program`: Barman's, with this configuration."""

    folder: Path
    servers: dict[int, Server]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def barman(self, *words: str, config: str = "barman.conf") -> str:
        code = "import sys; from barman.cli import main; sys.exit(main())"
        return run(sys.executable, "-W", "ignore", "-c", code, "-c", self.folder / config, *words)

    def cloud(self, tool: str, url: str, *words: str | Path) -> str:
        module = f"barman.clients.cloud_{tool}"
        at = ("--endpoint-url", url, "--addressing-style", "path")
        return run(sys.executable, "-W", "ignore", "-m", module, *at, *words, **CREDENTIALS, TMPDIR="/tmp")

    def configure(self, file: str, more: str = "") -> None:
        user = pwd.getpwuid(os.geteuid()).pw_name
        text = CONFIG.format(home=self.home, user=user, log=self.folder / "barman.log")
        for one in self.servers.values():
            text += SERVER.format(name=one.name, folder=one.folder, bin=one.bin, more=more)
        (self.folder / file).write_text(text)

    def copy(self, name: str) -> Path:
        """Of the barman_home, to be damaged."""
        return Path(shutil.copytree(self.home, self.folder / name, symlinks=True))


@contextmanager
def ground(versions: tuple[int, ...]) -> Iterator[Ground]:
    """Each server with one backup by Barman, and 500 rows that are in the archive alone."""
    folder = Path(tempfile.mkdtemp(prefix="drdrill-barman-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "home").mkdir()
    made = Ground(folder, {})
    try:
        for version in versions:
            name = f"main{version}"
            one = Server(name, version, folder / name, folder / "home" / name / "incoming")
            one.incoming.mkdir(parents=True)
            one.incoming.chmod(0o777)
            made.servers[version] = one
            one.make()
        made.configure("barman.conf")
        for one in made.servers.values():
            one.switch()
            made.barman("archive-wal", one.name)
            made.barman("backup", "--wait", one.name)
            more(made, one)
        yield made
    finally:
        for one in made.servers.values():
            one.stop()
        shutil.rmtree(folder)


def more(made: Ground, one: Server) -> None:
    """500 rows that are in no base backup yet."""
    one.sql("INSERT INTO t SELECT id, 'y' FROM generate_series(1, 500) id")
    one.switch()
    made.barman("archive-wal", one.name)


@contextmanager
def store(folder: Path) -> Iterator[str]:
    """A simulated store of S3 on the loopback; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
    words = [sys.executable, "-m", "harness.stacks.parts.moto_server", "-H", "127.0.0.1", "-p", port]
    with (folder / "moto.log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log, cwd=Path(__file__).parents[2])
        try:

            def answers() -> bool:
                try:
                    socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
                except OSError:
                    return False
                return True

            assert wait.poll(answers, within=WITHIN), (folder / "moto.log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


@dataclass
class Restored:
    place: OwnPlace
    brought: Brought

    def recover(self) -> None:
        """Until it has replayed all that there is."""
        settings = {"restore_command": f'cp "{self.brought.wal}/%f" "%p"', "recovery_target_action": "promote"}
        self.place.start(settings, recovery=True)
        assert wait.poll(self._ready, within=WITHIN), self.place.log.read_text()

    def rows(self) -> tuple[int, int]:
        """Of both tables, once it is recovered."""
        self.recover()
        with self.place.connect() as connection:
            (found,) = connection.execute("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM far)").fetchall()
        return found[0], found[1]

    def _ready(self) -> bool:
        assert self.place.running(), self.place.log.read_text()
        try:
            with self.place.connect() as connection:
                (row,) = connection.execute("SELECT pg_is_in_recovery()").fetchall()
        except psycopg.OperationalError:
            return False
        return not row[0]


@contextmanager
def restored(source: Source, kept: Kept, folder: Path) -> Iterator[Restored]:
    """In a place of this machine's programs, which is gone at the end."""
    place = ThisMachine(COMMANDS).place(folder, kept.version)
    try:
        yield Restored(place, source.bring(kept, place, point=Point(), within=WITHIN))
    finally:
        assert place.remove() == ""
        assert not folder.exists()
