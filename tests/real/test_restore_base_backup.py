"""Base backups that a real pg_basebackup made of a real server, restored beside it; and their damaged twins."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import DrillError
from harness.restores import Kept
from harness.restores.described import Backup
from harness.restores.sources.base_backup import BaseBackupFolders
from harness.system import clock
from tests.real.own_postgres import BIN, COMMANDS, MACHINE, Server, brought, everybodys, own, restored, run
from tests.real.stores import store

ALL = {
    "plain": ["-X", "stream"],
    "tars": ["-F", "tar", "-z", "-X", "fetch"],
    "zstd": ["-F", "tar", "--compress=server-zstd", "-X", "stream"],
    "lz4": ["-F", "tar", "--compress=client-lz4", "-X", "stream"],
    "bare": ["-F", "tar", "-X", "none"],
}


@dataclass(frozen=True)
class Original:
    server: Server
    repo: Path
    system: str
    last: str

    def source(self, repo: Path | None = None) -> BaseBackupFolders:
        described = Backup("shop", "pg_basebackup", repository=repo or self.repo)
        return BaseBackupFolders(described, programs=MACHINE, commands=COMMANDS, values={})


def kept(source: BaseBackupFolders, id: str) -> Kept:
    return next(each for each in source.catalogue() if each.id == id)


@pytest.fixture(scope="module")
def original() -> Iterator[Original]:
    """A server, a base backup of each form, and its archive beside them."""
    with everybodys() as top:
        yield from backed_up(top)


def backed_up(top: Path) -> Iterator[Original]:
    folder, repo, space = own(top / "server"), own(top / "repo"), own(top / "fast")
    wal = own(repo / "wal")
    packed = f"gzip -1 <%p >{wal}/.%f && mv {wal}/.%f {wal}/%f.gz"
    server = Server(folder, {"archive_mode": "on", "archive_command": packed, "log_timezone": "Asia/Kolkata"})
    try:
        server.make()
        server.sql(
            f"CREATE TABLESPACE fast LOCATION '{space}'",
            "CREATE TABLE t AS SELECT g, repeat('x', 50) FROM generate_series(1, 20000) g",
            "CREATE INDEX i ON t (g)",
            "CREATE TABLE u TABLESPACE fast AS SELECT g FROM generate_series(1, 1000) g",
        )
        for name, words in ALL.items():
            mapped = ["-T", f"{space}={repo}/{name}_fast"] if name == "plain" else []
            where: list[str | Path] = ["-h", folder, "-U", "postgres", "-c", "fast", "-D", repo / name]
            run(BIN / "pg_basebackup", *where, *words, *mapped)
        server.sql("INSERT INTO t SELECT g, 'log' FROM generate_series(1, 1000) g")
        last = server.switch()
        system = str(server.sql("SELECT system_identifier FROM pg_control_system()")[0][0])
        yield Original(server, repo, system, last)
    finally:
        server.stop()


@pytest.fixture
def twin(original: Original, tmp_path: Path) -> Path:
    """A copy of the repository, to be damaged: with fresh times, as a copy has them."""
    shutil.copytree(original.repo, tmp_path / "repo", symlinks=True, copy_function=shutil.copyfile)
    return tmp_path / "repo"


def test_the_catalogue_has_all_of_them(original: Original, twin: Path) -> None:
    """In order, of the server's system, and as old as they are, though this is a copy from now."""
    found = original.source(twin).catalogue()
    assert {each.id for each in found} == {*ALL} and [each.id for each in found][-1] != "plain"
    assert {each.version for each in found} == {15}
    assert {each.system for each in found} == {original.system} and not any(each.sound for each in found)
    same = original.source().catalogue()
    assert [(each.ended, each.digest) for each in same] == [(each.ended, each.digest) for each in found]
    assert all(timedelta() <= datetime.now(UTC) - each.ended < timedelta(minutes=30) for each in found)
    assert clock.now().utc >= max(each.ended for each in found)


@pytest.mark.parametrize("form", ALL)
def test_each_form_is_restored_to_the_end_of_the_archive(original: Original, tmp_path: Path, form: str) -> None:
    """With its tablespace inside of the place, and without a change in the repository."""
    source = original.source()
    before = source.inventory()
    with restored(source, kept(source, form), tmp_path / "place") as beside:
        assert beside.sql("SELECT count(*) FROM t") == 21000 and beside.sql("SELECT count(*) FROM u") == 1000
        assert (beside.brought.said, beside.brought.archive_end) == ([], original.last)
        (space,) = (beside.place.data / "pg_tblspc").iterdir()
        assert space.readlink() == beside.place.folder / "tablespaces" / space.name
    assert source.inventory() == before


def test_without_an_archive_it_is_as_old_as_it_is(original: Original, twin: Path, tmp_path: Path) -> None:
    """What it has of the log in itself makes it consistent; without any it is an error."""
    shutil.rmtree(twin / "wal")
    source = original.source(twin)
    with restored(source, kept(source, "plain"), tmp_path / "place") as beside:
        assert beside.sql("SELECT count(*) FROM t") == 20000 and not beside.brought.said
    with (
        pytest.raises(DrillError, match="without its write-ahead log"),
        restored(source, kept(source, "bare"), tmp_path / "bare"),
    ):
        pass


@pytest.mark.parametrize("form", ["plain", "zstd"])
def test_it_is_restored_from_objects(original: Original, tmp_path: Path, form: str) -> None:
    """Of S3, where there are neither links nor empty folders: what a link led to has to be copied."""
    with store(tmp_path) as objects:
        shutil.copytree(original.repo / form, tmp_path / "copy")
        objects.put(tmp_path / "copy", f"base/{form}")
        objects.put(original.repo / "wal", "base/wal")
        described = Backup("shop", "pg_basebackup", repository="s3://vault/base", s3=objects.s3)
        source = BaseBackupFolders(described, programs=MACHINE, commands=COMMANDS, values=objects.values)
        with restored(source, source.catalogue()[-1], tmp_path / "place") as beside:
            assert beside.sql("SELECT count(*) FROM t") == 21000 and beside.sql("SELECT count(*) FROM u") == 1000
            assert (beside.brought.said, beside.brought.archive_end) == ([], original.last)


def test_a_flipped_byte_is_told_by_the_manifest(original: Original, twin: Path, tmp_path: Path) -> None:
    """Of a table, and of an index."""
    paths = [original.server.sql(f"SELECT pg_relation_filepath('{name}')")[0][0] for name in ("t", "i")]
    for path in paths:
        content = bytearray((twin / "plain" / path).read_bytes())
        content[len(content) - 100] ^= 1
        (twin / "plain" / path).write_bytes(content)
    source = original.source(twin)
    said = brought(source, kept(source, "plain"), tmp_path / "place").said
    assert sorted(said) == sorted(f'pg_verifybackup: error: checksum mismatch for file "{path}"' for path in paths)


def test_a_backup_of_another_system_is_told(original: Original, twin: Path, tmp_path: Path) -> None:
    """Under the right name: by its catalogue; and its log does not go with it."""
    with everybodys() as top:
        other = Server(own(top / "server"))
        try:
            other.make()
            shutil.rmtree(twin / "plain")
            where: list[str | Path] = [
                "-h",
                other.folder,
                "-U",
                "postgres",
                "-c",
                "fast",
                "-D",
                top / "server" / "backup",
            ]
            run(BIN / "pg_basebackup", *where, "-X", "stream")
            shutil.copytree(top / "server" / "backup", twin / "plain")
        finally:
            other.stop()
    source = original.source(twin)
    found = kept(source, "plain")
    assert found.system not in ("", original.system)
    said = brought(source, found, tmp_path / "place").said
    assert any(f"is of the system {original.system}, the backup of {found.system}" in each for each in said)


def test_a_flipped_byte_in_the_log_ends_the_recovery_early(original: Original, twin: Path, tmp_path: Path) -> None:
    """Nothing beside a segment says what is in it: the server finds it, in its own words, before the archive's end."""
    source = original.source(twin)
    path = twin / "wal" / original.last
    packed = path.with_suffix(".gz")
    content = bytearray(gzip.decompress(packed.read_bytes()))
    content[20000] ^= 0xFF
    packed.write_bytes(gzip.compress(content))
    with restored(source, kept(source, "tars"), tmp_path / "place") as beside:
        assert beside.brought.archive_end == original.last
        assert beside.sql("SELECT count(*) FROM t") < 21000
        assert "checksum" in beside.log or "invalid" in beside.log
