"""A mistake whose write-ahead log is on two timelines and no longer on the server, found by a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest

from harness.procedures.find_mistake import Mistake, MistakeNotFound, find_mistake
from harness.stacks import PlainRegion, Stack
from harness.stacks.local.ground import POSTGRES
from harness.stacks.parts import wal
from harness.stacks.parts.member import PatroniMember
from harness.stacks.parts.postgres import Roles, as_conf
from harness.system import wait
from harness.system.command import Commands, end_labelled
from harness.system.recorder import Memory
from tests.one_host import one_host
from tests.real.test_backups import free_port

LABEL = f"test-timelines-{os.getpid()}"


@dataclass
class Scene:
    """A member without a cluster manager, and a folder as its archive."""

    member: PatroniMember
    commands: Commands
    archive: Path
    port: int = field(default_factory=free_port)
    run_as = answers = archived = restore_version = ""  # not asked here

    @property
    def data(self) -> str:
        return str(self.member.data)

    def run(self, name: str, *words: str) -> None:
        self.commands.run([*self.member.words(), str(POSTGRES / name), *words])

    def start(self) -> None:
        settings = f"-p {self.port} -k '' -h 127.0.0.1"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", str(self.member.database_log), "-o", settings, "start")

    def stop(self) -> None:
        if (self.member.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def connect(self, member: object = None) -> psycopg.Connection[Any]:
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True)

    def ask(self, question: LiteralString) -> Any:
        with self.connect() as connection:
            found = connection.execute(question)
            row = found.fetchone() if found.description else None
            return row[0] if row else None

    def switch(self) -> str:
        """Begin a new segment; the name of the one before, once it is archived."""
        name = str(self.ask("SELECT pg_walfile_name(pg_switch_wal())"))
        wait.until(
            (self.archive / name).exists, what=f"{name} is archived", within=timedelta(seconds=20), recorder=Memory()
        )
        return name

    def fetch_command(self) -> str:
        return f"cp {self.archive}/%f %p"

    def find(self, since: str) -> Mistake:
        stack = cast(Stack, PlainRegion("region-1", holds=(self,)))
        return find_mistake(stack, self.member, table="public.entry", since_lsn=since, timeline=1)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    commands = Commands(Memory(), label=LABEL)
    tmp_path.chmod(0o755)
    archive = tmp_path / "archive"
    archive.mkdir(mode=0o777)
    archive.chmod(0o777)
    member = PatroniMember(
        one_host(tmp_path, commands), zone="a", roles=Roles(), sockets=tmp_path / "sockets", stores=(), settings=dict,
        synchronous={},
    )  # fmt: skip  # arguments in groups
    scene = Scene(member, commands, archive)
    member.own_volume()
    settings = {
        "fsync": "off",
        "archive_mode": "on",
        "archive_command": f"cp %p {archive}/%f",
        "restore_command": scene.fetch_command(),
        "wal_keep_size": "512MB",
        "track_commit_timestamp": "on",
    }
    try:
        scene.run("initdb", "-D", scene.data, "-U", "postgres", "-A", "trust", "--no-sync")
        with (member.data / "postgresql.conf").open("a") as conf:
            conf.write(as_conf(settings))
        scene.start()
        yield scene
    finally:
        scene.stop()
        end_labelled(LABEL)


def test_a_mistake_on_the_old_timeline_is_found_from_the_archive(scene: Scene) -> None:
    """Its records begin on one timeline, its log is gone from the server, and a missing segment is named."""
    scene.ask("CREATE TABLE entry AS SELECT n FROM generate_series(1, 100) n")
    since = scene.ask("SELECT pg_current_wal_lsn()::text")
    mistake = scene.ask("WITH gone AS (DELETE FROM entry WHERE n <= 40) SELECT pg_current_xact_id()::text")
    first = scene.switch()
    scene.ask("CREATE TABLE other AS SELECT n FROM generate_series(1, 200000) n")  # crosses into the next segment
    scene.stop()
    (scene.member.data / "recovery.signal").touch()
    scene.start()  # and is promoted at the end of its log
    wait.until(
        lambda: not scene.ask("SELECT pg_is_in_recovery()"),
        what="recovery ends",
        within=timedelta(seconds=20),
        recorder=Memory(),
    )
    scene.ask("INSERT INTO entry VALUES (101)")
    last = scene.switch()
    assert (wal.segment_at(first)[0], wal.segment_at(last)[0]) == (1, 2)

    server_has = scene.member.data / "pg_wal" / first
    assert server_has.exists()
    kept = scene.find(since)
    assert (kept.xid, kept.rows) == (mistake, 40)
    server_has.unlink()
    fetched = scene.find(since)
    assert fetched == kept

    second = scene.ask("WITH changed AS (UPDATE entry SET n = n WHERE n = 101) SELECT pg_current_xact_id()::text")
    with pytest.raises(MistakeNotFound, match=f"2 transactions .*: {mistake}, {second}"):
        scene.find(since)
    shutil.rmtree(scene.member.folder / "wal")
    (scene.archive / first).unlink()
    with pytest.raises(MistakeNotFound, match=f"cannot be read from .*{first}"):
        scene.find(since)
