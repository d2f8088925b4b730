"""Base backups of a barman_home become data directories: plain ones, packed ones, and increments."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from harness.errors import DrillError
from harness.restores import Brought, Kept, Point
from harness.restores.described import Backup
from harness.restores.sources.barman import Barman
from tests.barman_repositories import (
    COMMANDS,
    ID,
    WITHIN,
    Given,
    Home,
    info,
    place,
    tar,
    write,
)  # fmt: skip  # names in groups

NEXT = "20261130T113000"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One good backup, and an archive that goes two pieces further."""
    made = Home(tmp_path / "barman")
    made.backup()
    made.archive(3, 4, 5, 6)
    return made


def source(home: Home, *, server: str = "main", programs: Given | None = None) -> Barman:
    given = programs or Given()
    return Barman(Backup("orders", "barman", home.root, server), programs=given, commands=COMMANDS, values={})


def only(home: Home) -> Kept:
    (kept,) = source(home).catalogue()
    return kept


def restored(home: Home, into: Path, kept: Kept | None = None) -> tuple[Path, Brought]:
    """The place's folder, and what was said."""
    made = place(into)
    return made.folder, source(home).bring(kept or only(home), made, point=Point(), within=WITHIN)


def test_a_packed_backup_is_unpacked_and_one_cut_off_is_an_error(home: Home, tmp_path: Path) -> None:
    """By backup_compression: one archive for the data directory, and one for each tablespace."""
    shutil.rmtree(home.base())
    data = home.base() / "data"
    files = {"backup_label": b"label", "PG_VERSION": b"18", "tablespace_map": b"16389 /original/big", "base/5/1": b"r"}
    write(data / "base.tar.gz", gzip.compress(tar(files)))
    write(data / "16389.tar.gz", gzip.compress(tar({"PG_18_202506291/5/16390": b"big rows"})))
    home.entry(info(compression="gzip"))
    folder, brought = restored(home, tmp_path / "place")
    assert not brought.said
    assert (folder / "data" / "base" / "5" / "1").read_bytes() == b"r"
    assert not (folder / "data" / "tablespace_map").exists()
    assert (folder / "data" / "pg_tblspc" / "16389" / "PG_18_202506291" / "5" / "16390").read_bytes() == b"big rows"
    whole = (data / "base.tar.gz").read_bytes()
    write(data / "base.tar.gz", whole[: len(whole) // 2])
    with pytest.raises(DrillError, match=r"base.tar.gz is (damaged|cut off)"):
        restored(home, tmp_path / "second")
    (data / "base.tar.gz").unlink()
    with pytest.raises(DrillError, match=r"has no base.tar"):
        restored(home, tmp_path / "third")


def test_without_a_label_nothing_is_recovered(home: Home, tmp_path: Path) -> None:
    """A backup by rsync has it in its entry; recovery without one would begin anywhere."""
    (home.base() / "data" / "backup_label").unlink()
    folder, _ = restored(home, tmp_path / "place")
    assert (folder / "data" / "backup_label").read_text().startswith("START WAL LOCATION: 0/400028")
    home.entry(info(backup_label="None"))
    with pytest.raises(DrillError, match="has no backup_label"):
        restored(home, tmp_path / "second")


def test_a_link_in_a_backup_is_told_and_not_followed(home: Home, tmp_path: Path) -> None:
    """What lies outside of the repository is no part of a backup."""
    (home.base() / "data" / "outside").symlink_to("/etc/passwd")
    folder, brought = restored(home, tmp_path / "place")
    assert len(brought.said) == 1
    assert "data/outside is a link out of the backup: not followed" in brought.said[0]
    assert not (folder / "data" / "outside").exists()


def test_an_increment_is_put_together_from_its_chain(home: Home, tmp_path: Path) -> None:
    """By pg_combinebackup, the full one first; every one is counted against its manifest, and what is wrong is told."""
    programs = Given(tmp_path / "bin")
    copies = 'mkdir -p "$5/pg_wal"; cp "$6/backup_label" "$6/backup_manifest" "$5"'
    programs.script("pg_combinebackup", f'echo "$@" > {tmp_path}/combined; {copies}')
    programs.script(
        "pg_verifybackup", 'for last; do :; done; echo "pg_verifybackup: error: $last is not well" >&2; exit 1'
    )
    write(home.base() / "data" / "backup_manifest", b"{}")
    home.backup(NEXT, entry=info(parent_backup_id=ID))
    write(home.base(NEXT) / "data" / "backup_manifest", b"{}")
    kept = next(kept for kept in source(home).catalogue() if kept.id == NEXT)
    assert kept.kind == "incremental"
    made = place(tmp_path / "place")
    brought = source(home, programs=programs).bring(kept, made, point=Point(), within=WITHIN)
    work = made.folder / "work" / "chain"
    words = (tmp_path / "combined").read_text().split()
    moved = f"{work}/{NEXT}-tablespaces/16389={made.folder}/tablespaces/16389"
    assert words == ["--no-sync", "-T", moved, "-o", str(made.data), f"{work}/{ID}", f"{work}/{NEXT}"]
    assert not work.exists()
    wanted = [f"pg_verifybackup: error: {where} is not well" for where in (f"{work}/{ID}", f"{work}/{NEXT}", made.data)]
    assert list(brought.said) == wanted


@pytest.mark.parametrize(
    ("parent", "words"),
    [
        (None, f"{NEXT} stands on {ID}: .*it is gone"),
        (info(status="FAILED"), f"{NEXT} stands on {ID}: its status is FAILED"),
        (info(parent_backup_id=NEXT), f"stands on {NEXT}: it stands on itself"),
    ],
)
def test_an_increment_without_what_it_stands_on_is_an_error(
    home: Home, tmp_path: Path, parent: bytes | None, words: str
) -> None:
    """Nobody can restore it."""
    home.backup(NEXT, entry=info(parent_backup_id=ID))
    kept = next(kept for kept in source(home).catalogue() if kept.id == NEXT)
    if parent is None:
        shutil.rmtree(home.base())
        (home.server / "meta" / f"{ID}-backup.info").unlink()
    else:
        home.entry(parent)
    with pytest.raises(DrillError, match=words):
        restored(home, tmp_path / "place", kept)
