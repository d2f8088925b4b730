"""Backups of a real PostgreSQL on a real S3 server over TLS: what is archived comes back, and damage is named."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.errors import Refused
from harness.stacks.backup_tools.barman.backups import BarmanBackups
from harness.stacks.backup_tools.vault import Vault
from harness.stacks.capabilities.backups import Backup, Damage
from harness.stacks.local.ground import POSTGRES
from harness.stacks.parts import wal
from harness.stacks.parts.postgres import filled_in
from harness.stacks.parts.s3 import S3Server
from harness.stacks.parts.tls import make_authority
from harness.system import wait
from harness.system.command import Commands, end_labelled
from harness.system.recorder import Memory
from tests.one_host import one_host

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
        self.commands.run(as_database_user([str(POSTGRES / program), *words]))

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
            found = connection.execute(question)
            row = found.fetchone() if found.description else None
            return row[0] if row else None


@dataclass
class Scene:
    """A database with an archive, two base backups, rows and a mistake."""

    folder: Path
    commands: Commands
    server: S3Server
    vault: Vault
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
    server = S3Server(one_host(folder, commands), authority=authority, port=free_port())
    database = Postgres(folder, commands, "primary")
    backups = BarmanBackups(
        vault=Vault(server.bucket),
        env=server.env(),
        commands=commands,
        folder=folder / "backups",
        source_dsn=database.dsn,
        as_database_user=as_database_user,
    )
    try:
        server.start()
        database.run(
            "initdb", "-D", str(database.data), "-U", "postgres", "-A", "trust", "--data-checksums", "--no-sync"
        )
        database.configure("postgresql.conf", fsync="off", archive_mode="on", archive_command=backups.archive_command())
        wait.until(server.ready, what="S3 serves", within=timedelta(seconds=20), recorder=commands.recorder)
        database.start()
        database.ask("create table entry as select n, repeat('x', 100) as filler from generate_series(1, 20000) n")
        first = backups.take()
        database.ask("insert into entry select n, 'more' from generate_series(20001, 20500) n")
        database.ask("select pg_switch_wal()")
        second = backups.take()
        database.ask("insert into entry values (20501, 'last before the mistake')")
        mistake = database.ask("with gone as (delete from entry) select pg_current_xact_id()::text")
        database.ask("insert into entry values (1, 'after the mistake')")
        done = database.ask("select pg_walfile_name(pg_switch_wal())")
        wait.until(
            lambda: backups.archived() >= (wal.segment_at(done)[1] + 1) * wal.SEGMENT,
            what="the mistake is archived",
            within=timedelta(seconds=20),
            recorder=commands.recorder,
        )
        yield Scene(folder, commands, server, Vault(server.bucket), backups, database, first, second, mistake, 20501)
    finally:
        database.stop()
        server.unit.stop()
        end_labelled(LABEL)


def another(scene: Scene, name: str) -> BarmanBackups:
    """Backups of another server in the same store, as a process that comes later sees them."""
    return BarmanBackups(
        vault=Vault(scene.server.bucket, digests=f"digests-of-{name}"),
        env=scene.server.env(),
        commands=scene.commands,
        folder=scene.folder / name,
        source_dsn=scene.database.dsn,
        as_database_user=as_database_user,
        server_name=name,
    )


def restored(scene: Scene, backup: Backup, name: str, *, before: str = "", **target: str) -> Postgres:
    """The backup, restored and recovered in a place of its own, and promoted."""
    place = Postgres(scene.folder, scene.commands, name)
    scene.backups.restore(backup, place)
    command = scene.backups.fetch_command(before=before)
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


def test_a_restore_never_goes_over_something(scene: Scene) -> None:
    """A place in which anything lies is refused, and keeps it."""
    place = Postgres(scene.folder, scene.commands, "occupied")
    place.data.mkdir()
    (place.data / "precious").write_text("kept")
    with pytest.raises(Refused):
        scene.backups.restore(scene.first, place)
    assert (place.data / "precious").read_text() == "kept"


def test_backups_are_listed_oldest_first_with_what_recovery_needs(scene: Scene) -> None:
    """Listing the store gives the same backups as making them did, and another process sees the same."""
    assert scene.backups.backups() == [scene.first, scene.second]
    assert scene.first.ended < scene.second.began
    assert scene.first.begin < scene.first.end
    assert wal.segment_at(scene.first.first_file)[1] == scene.first.begin // wal.SEGMENT
    assert scene.first.size > 10_000_000
    assert {key.rpartition("/")[2] for key in scene.first.objects} == {"backup.info", "data.tar"}


def test_sound_backups_and_a_sound_archive_show_no_damage(scene: Scene) -> None:
    """Nothing is named where nothing was hurt, and the archive has no gap."""
    assert scene.backups.check(scene.first) == []
    assert scene.backups.check(scene.second) == []
    segments = scene.backups.archive(since=scene.first.first_file)
    assert [one.name for one in segments if one.damage] == []
    numbers = [wal.segment_at(one.name)[1] for one in segments if wal.is_segment(one.name)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert (numbers[-1] + 1) * wal.SEGMENT == scene.backups.archived()


@pytest.mark.parametrize(("object", "keep_versions"), [("data.tar", False), ("backup.info", True)])
def test_one_flipped_byte_of_a_base_backup_is_named(scene: Scene, object: str, keep_versions: bool) -> None:
    """The check names the object, the other backup is sound still, and undoing the damage makes it sound again."""
    key = next(key for key in scene.second.objects if key.endswith(object))
    was = scene.vault.current_version(key)
    before = scene.vault.damage(key, flipped(scene.vault.read(key)), keep_versions=keep_versions)
    assert scene.vault.current_version(key) != was == before
    assert scene.backups.check(scene.second) == [Damage(key, "digest differs")]
    assert scene.backups.check(scene.first) == []
    assert scene.backups.backups() == [scene.first, scene.second]
    for _ in range(2):
        scene.vault.undo_damage(key, before)
        assert scene.backups.check(scene.second) == []


@pytest.mark.parametrize(("object", "keep_versions"), [("data.tar", True), ("backup.info", False)])
def test_a_deleted_object_of_a_base_backup_is_named(scene: Scene, object: str, keep_versions: bool) -> None:
    """The backup is listed still, even without its backup.info, and the check names what is missing."""
    key = next(key for key in scene.second.objects if key.endswith(object))
    before = scene.vault.damage(key, None, keep_versions=keep_versions)
    assert scene.vault.current_version(key) == ""
    assert scene.vault.size_of(key) == 0
    assert scene.backups.backups() == [scene.first, scene.second]
    assert scene.backups.check(scene.second) == [Damage(key, "missing")]
    scene.vault.undo_damage(key, before)
    assert scene.backups.check(scene.second) == []


@pytest.mark.parametrize("deleted", [True, False])
def test_a_damaged_segment_is_named_and_its_earlier_version_brought_back(scene: Scene, deleted: bool) -> None:
    """The sound version is found by its digest, and making it current again makes the archive sound."""
    victim = scene.backups.archive(since=scene.second.first_file)[0]
    content = None if deleted else flipped(scene.vault.read(victim.key))
    before = scene.vault.damage(victim.key, content, keep_versions=True)
    (found,) = [one for one in scene.backups.archive() if one.damage]
    assert (found.name, found.damage) == (victim.name, "missing" if deleted else "digest differs")
    assert found.sound_version == before
    scene.backups.restore_version(found)
    assert [one.name for one in scene.backups.archive() if one.damage] == []


def test_a_segment_without_a_sound_version_ends_the_recovery_before_it(scene: Scene) -> None:
    """Nothing can be brought back then: PostgreSQL is told so in its log, and keeps every row up to that segment."""
    victim = scene.backups.archive(since=scene.second.first_file)[0]
    before = scene.vault.damage(victim.key, flipped(scene.vault.read(victim.key)), keep_versions=False)
    (found,) = [one for one in scene.backups.archive() if one.damage]
    assert (found.key, found.sound_version) == (victim.key, "")
    with pytest.raises(Refused):
        scene.backups.restore_version(found)
    place = restored(scene, scene.first, "before-the-damage")
    try:
        assert place.ask("select count(*) from entry") == 20500
        assert f"DAMAGED: {victim.name}" in place.log.read_text()
    finally:
        place.stop()
        scene.vault.undo_damage(victim.key, before)
    assert [one.name for one in scene.backups.archive() if one.damage] == []


def test_an_archive_out_of_reach_is_not_taken_for_its_end(scene: Scene) -> None:
    """restore_command says "do not go on" (above 125) when the store does not answer, and 1 for what is not there."""
    command = scene.backups.fetch_command()
    target = str(scene.folder / "fetched")

    def fetch(name: str, command: str) -> int:
        return scene.commands.run(
            ["sh", "-c", filled_in(command, f=name, p=target)], cwd=scene.folder, check=False
        ).exit

    assert fetch("0000000100000000000000FF", command) == 1
    elsewhere = scene.folder / "elsewhere.json"
    settings = scene.folder / "backups" / "archive.json"
    elsewhere.write_text(settings.read_text().replace(scene.server.url, f"https://127.0.0.1:{free_port()}"))
    assert fetch(scene.first.first_file, command.replace(str(settings), str(elsewhere))) > 125


def test_an_archived_segment_is_never_replaced_by_another_one(scene: Scene) -> None:
    """Archiving the same file twice succeeds and changes nothing; another file of its name is refused."""
    segment = next(one for one in scene.backups.archive() if wal.is_segment(one.name))
    original = gzip.decompress(scene.vault.read(segment.key))
    copy = scene.folder / segment.name

    def archive() -> int:
        command = scene.backups.archive_command().replace("%p", str(copy))
        return scene.commands.run(["sh", "-c", command], check=False).exit

    copy.write_bytes(original)
    assert archive() == 0
    copy.write_bytes(flipped(original))
    assert archive() == 1
    assert gzip.decompress(scene.vault.read(segment.key)) == original
    assert len(scene.server.bucket.versions(segment.key)) == 1
    assert [one.name for one in scene.backups.archive() if one.damage] == []


def test_the_archive_goes_on_along_a_new_timeline(scene: Scene) -> None:
    """A history, a segment and a partial one are stored; what is archived follows the history, while it is readable."""
    backups = another(scene, "timelines")
    files = {
        wal.segment_name(1, 3): bytes(wal.SEGMENT),
        wal.segment_name(1, 4) + ".partial": bytes(wal.SEGMENT),
        "00000002.history": b"1\t0/4000100\tbefore transaction 755\n",
    }

    def archive(name: str, content: bytes) -> None:
        (scene.folder / name).write_bytes(content)
        command = backups.archive_command().replace("%p", str(scene.folder / name))
        scene.commands.run(["sh", "-c", command])

    for name, content in files.items():
        archive(name, content)
    assert backups.archived() == 0x4000000
    archive(wal.segment_name(2, 4), bytes(wal.SEGMENT))
    assert backups.archived() == 0x5000000
    assert {one.name: one.damage for one in backups.archive()} == dict.fromkeys([*files, wal.segment_name(2, 4)], "")
    history = next(one for one in backups.archive() if one.name == "00000002.history")
    scene.vault.damage(history.key, b"no history", keep_versions=True)
    assert [one.name for one in backups.archive() if one.damage] == ["00000002.history"]
    assert another(scene, "timelines").archived() == 0x4000000


def flipped(content: bytes) -> bytes:
    """With one bit of its middle byte changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
