"""A small server of one version, and a repository of it by each tool: what the tests by the command line restore."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from harness.restores.programs.machine import folder_of
from harness.system import wait
from tests.real.barman_servers import CREDENTIALS, WITHIN, store
from tests.real.own_postgres import as_account, own

ROWS, LATER = 2000, 500  # in each base backup, and in the archive alone
ALL = ROWS + LATER
BUCKET, PREFIX, NAME = "backups", "pre", "shop"  # the stanza, the server of Barman, and the database
PACKAGED = 15  # Debian's pgBackRest knows this one, and none that is newer
SAMPLE = (
    "CREATE EXTENSION pg_trgm",
    "CREATE TABLE orders (id bigserial PRIMARY KEY, note text NOT NULL, total numeric CHECK (total >= 0))",
    f"INSERT INTO orders (note, total) SELECT 'note ' || g, g FROM generate_series(1, {ROWS}) g",
    "CREATE INDEX by_total ON orders (total)",
    "CREATE INDEX by_note ON orders USING gin (note gin_trgm_ops)",
    "CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS number FROM orders",
    "ALTER TABLE orders OWNER TO app",
    "VACUUM ANALYZE orders",  # its pages are written once more by nobody, and what was damaged stays so
)
MORE = f"INSERT INTO orders (note, total) SELECT 'later ' || g, g FROM generate_series(1, {LATER}) g"
PGBACKREST = """\
[global]
repo1-path={repository}
repo1-retention-full=9
compress-level=1
start-fast=y
log-level-file=off
log-level-console=warn
lock-path={folder}/lock
log-path={folder}/lock
spool-path={folder}/lock
[{name}]
pg1-path={folder}/data
pg1-socket-path={folder}
pg1-user=postgres
"""
BARMAN = """\
[barman]
barman_home = {home}
barman_user = {user}
log_file = {home}/barman.log
compression = gzip
immediate_checkpoint = true
[{name}]
description = the shop
conninfo = host={folder} user=postgres dbname=postgres
streaming_conninfo = host={folder} user=postgres dbname=postgres
backup_method = postgres
archiver = on
path_prefix = {bin}
"""


def run(*words: str | Path, **env: str) -> str:
    """What it printed, with what it said besides."""
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, cwd="/", env={**os.environ, **env}
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


@dataclass
class Ground:
    """`server`: its folder. Repositories by their tools, each of the one server; the store has that of barman-cloud."""

    version: int
    folder: Path
    url: str = ""
    later: str = ""  # the piece of the archive with the rows that no base backup has

    @property
    def bin(self) -> Path:
        return folder_of("postgres", self.version)

    @property
    def server(self) -> Path:
        return self.folder / "server"

    def repository(self, tool: str) -> Path:
        return self.folder / tool

    @property
    def cloud(self) -> str:
        return f"s3://{BUCKET}/{PREFIX}{self.version}"

    @property
    def pieces(self) -> Path:
        """The archive, beside the base backups."""
        return self.repository("pg_basebackup") / "wal"

    @property
    def packaged(self) -> bool:
        return self.version == PACKAGED

    # The server

    def make(self) -> None:
        base = self.repository("pg_basebackup")
        for folder in (self.server, self.server / "lock", base, self.pieces, self.repository("pgbackrest")):
            own(folder)
        incoming = self.repository("barman") / NAME / "incoming"
        incoming.mkdir(parents=True)
        incoming.chmod(0o777)
        data = self.server / "data"
        account = as_account()
        run(*account, self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--data-checksums")
        archived = [f"cp %p {self.pieces}/.%f", f"mv {self.pieces}/.%f {self.pieces}/%f", f"cp %p {incoming}/%f"]
        if self.packaged:
            config = self.folder / "pgbackrest.conf"
            where = {"repository": self.repository("pgbackrest"), "folder": self.server, "name": NAME}
            config.write_text(PGBACKREST.format(**where))
            archived.append(f"{' '.join(self._pgbackrest)} archive-push %p")
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.server), "fsync": "off",
            "autovacuum": "off", "archive_mode": "on", "archive_command": " && ".join(archived),
        }  # fmt: skip  # settings in groups
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        run(*account, self.bin / "pg_ctl", "-D", data, "-l", self.server / "log", "-w", "-s", "start")
        self.sql("CREATE ROLE app", f"CREATE DATABASE {NAME} OWNER app", database="postgres")
        self.sql(*SAMPLE)

    def sql(self, *statements: str, database: str = NAME) -> list[Any]:
        """What the last one answers."""
        with closing(
            psycopg.connect(host=str(self.server), user="postgres", dbname=database, autocommit=True)
        ) as connection:
            cursors = [connection.execute(statement.encode()) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    @property
    def system(self) -> str:
        return str(self.sql("SELECT system_identifier FROM pg_control_system()")[0][0])

    def switch(self) -> str:
        """End the piece of the log that is written, and wait until it is archived; its name."""
        name = str(self.sql("SELECT pg_walfile_name(pg_create_restore_point('so that it is not empty'))")[0][0])
        self.sql("SELECT pg_switch_wal()")
        last = "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
        assert wait.poll(lambda: str(self.sql(last)[0][0])[:24] >= name, within=WITHIN), f"{name} is not archived"
        return name

    def stop(self) -> None:
        words = [*as_account(), self.bin / "pg_ctl", "-D", self.server / "data", "-m", "immediate", "-s", "stop"]
        subprocess.run([*map(str, words)], check=False, cwd="/")

    # Its backups

    def back_up(self) -> None:
        """By each tool once; then rows that are in the archive alone, and a dump with all of them."""
        if self.packaged:
            run(*as_account(), *self._pgbackrest, "stanza-create")
            run(*as_account(), *self._pgbackrest, "--type=full", "backup")
        self.base_backup("first")
        home, config = self.repository("barman"), self.folder / "barman.conf"
        user = pwd.getpwuid(os.geteuid()).pw_name
        config.write_text(BARMAN.format(home=home, user=user, name=NAME, folder=self.server, bin=self.bin))
        self.switch()
        self.barman("archive-wal", NAME)
        self.barman("backup", "--wait", NAME)
        if self.url:
            self.in_cloud("backup", "-h", self.server, "-U", "postgres", "--immediate-checkpoint", self.cloud, NAME)
        self.sql(MORE)
        self.later = self.switch()
        self.barman("archive-wal", NAME)
        if self.url:
            self._archive_in_cloud(sorted(self.pieces.iterdir()))
        self.dump("shop.dump", "-Fc")
        dumps = self.repository("pg_dump")
        run(self.bin / "pg_dumpall", *self._connected, "--globals-only", f"--file={dumps / 'globals.sql'}")

    def base_backup(self, name: str, *words: str) -> None:
        at = self.repository("pg_basebackup") / name
        given = words or ("-F", "tar", "-z", "-X", "fetch")
        run(*as_account(), self.bin / "pg_basebackup", *self._connected, "-c", "fast", "-D", at, *given)

    def dump(self, name: str, *words: str, folder: Path | None = None) -> Path:
        into = folder or self.repository("pg_dump")
        into.mkdir(exist_ok=True)
        run(self.bin / "pg_dump", *self._connected, *words, f"--file={into / name}", NAME, TZ="UTC")
        return into / name

    def barman(self, *words: str) -> str:
        code = "import sys; from barman.cli import main; sys.exit(main())"
        return run(sys.executable, "-W", "ignore", "-c", code, "-c", self.folder / "barman.conf", *words)

    def in_cloud(self, tool: str, *words: str | Path) -> None:
        """One tool of Barman's."""
        self._cloud(f"from barman.clients.cloud_{tool} import main; main(sys.argv[1:])", *words)

    def _archive_in_cloud(self, pieces: Sequence[Path]) -> None:
        """All in one process: each would be another second."""
        each = "for piece in sys.argv[8:]: main([*sys.argv[1:8], piece])"
        self._cloud(f"from barman.clients.cloud_walarchive import main\n{each}", "--gzip", self.cloud, NAME, *pieces)

    def _cloud(self, code: str, *words: str | Path) -> None:
        at = ("--endpoint-url", self.url, "--addressing-style", "path")
        run(sys.executable, "-W", "ignore", "-c", f"import sys\n{code}", *at, *words, **CREDENTIALS, TMPDIR="/tmp")

    def copy(self, tool: str, name: str) -> Path:
        """Of a repository, to be damaged."""
        return Path(shutil.copytree(self.repository(tool), self.folder / name, symlinks=True))

    @property
    def _connected(self) -> Sequence[str]:
        return "-h", str(self.server), "-U", "postgres"

    @property
    def _pgbackrest(self) -> Sequence[str]:
        return "pgbackrest", f"--config={self.folder / 'pgbackrest.conf'}", f"--stanza={NAME}"


@contextmanager
def ground(version: int) -> Iterator[Ground]:
    """With all its repositories; all of it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="drdrill-ground-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with store(folder) as url:
            made = Ground(version, folder, url)
            client(url).create_bucket(Bucket=BUCKET)
            try:
                made.make()
                made.back_up()
                yield made
            finally:
                made.stop()
    finally:
        shutil.rmtree(folder)


def client(url: str) -> Any:
    """Of the store."""
    import boto3  # noqa: PLC0415  it takes 0.3 s to import

    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip  # arguments in groups
