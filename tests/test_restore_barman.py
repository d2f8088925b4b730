"""Backups of a barman_home: what its catalogue says, and what becomes of one that is restored."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.restores import Brought, Kept, Point
from harness.restores.described import Backup
from harness.restores.sources import barman
from harness.restores.sources.barman import Barman
from harness.restores.sources.storage import Folder
from tests.barman_repositories import (
    COMMANDS,
    FIRST,
    ID,
    WITHIN,
    Given,
    Home,
    info,
    name,
    place,
    segment,
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


def test_a_catalogue_has_what_backup_info_says(home: Home) -> None:
    """Times come from it with their zones, and never from a file."""
    for path in home.root.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (2e9, 2e9))
    kept = only(home)
    assert (kept.id, kept.version, kept.form, kept.kind, kept.sound) == (ID, 18, "files", "full", "")
    assert kept.began == datetime(2026, 11, 30, 10, 29, 36, 739830, tzinfo=UTC)
    assert kept.ended == datetime(2026, 11, 30, 10, 32, 44, 412011, tzinfo=UTC)
    assert (kept.size, kept.system) == (38060305, "7713908852191713072")
    assert kept.stored == sum(path.stat().st_size for path in home.base().rglob("*") if path.is_file())
    assert kept.digest == hashlib.sha256(info()).hexdigest()
    assert kept.digest_of == "the catalogue's entry"


def test_entries_of_both_layouts_are_found_and_the_oldest_is_first(home: Home) -> None:
    """Before 3.13.2 an entry lay beside the files of its backup."""
    home.backup("20261130T080000", old=True, entry=info(end_time="2026-11-30 08:00:10+00:00"))
    found = source(home).catalogue()
    assert [kept.id for kept in found] == ["20261130T080000", ID]
    assert [kept.sound for kept in found] == ["", ""]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (info(status="FAILED", error="disk full"), "its status is FAILED: it has failed: disk full"),
        (info(status="WAITING_FOR_WALS"), "WAITING_FOR_WALS: it had not, when Barman looked last, all of the archive"),
        (info(status="STARTED", end_time="None", end_wal="None"), "STARTED: it has not ended, or was cut short"),
        (info(status="NEW_STATE"), "NEW_STATE: it is in no state that is known"),
        (b"\xff\xfe", "cannot be read: 'utf-8' codec"),
        (b"nonsense\n", 'cannot be read: "nonsense" is no key=value'),
        (b"", "cannot be read: it has no status"),
        (info(version="fifteen"), "cannot be read: invalid literal"),
        (info(end_time="yesterday"), 'end_time is "yesterday", which is no time'),
        (info(end_time="2026-11-30 10:32:44"), "end_time has no zone"),
        (info(tablespaces="[('big'"), "its tablespaces cannot be read"),
        (info(begin_wal="None"), "does not say which pieces of the archive it needs"),
        (info(size="5"), "its files have 46 bytes, and its entry says 5"),
        (info(begin_wal=name(1), end_wal=name(2)), f"it needs {name(1)}, {name(2)}, and that is not there"),
    ],
)
def test_what_is_against_one_backup_hides_no_other(home: Home, entry: bytes, words: str) -> None:
    """It is listed with that against it."""
    home.backup(NEXT, entry=entry)
    found = {kept.id: kept.sound for kept in source(home).catalogue()}
    assert found[ID] == ""
    assert words in found[NEXT]


def test_a_backup_whose_files_or_entry_are_gone_says_so(home: Home) -> None:
    """A folder without an entry is listed, too; where there is an entry alone, its files are missed."""
    home.backup(NEXT)
    shutil.rmtree(home.base(NEXT))
    write(home.base("20261130T120000") / "data" / "PG_VERSION", b"18\n")
    home.backup("odd", entry=b"")
    assert source(home).catalogue()[0].ended is None
    found = {kept.id: kept.sound for kept in source(home).catalogue()}
    assert found[NEXT] == "its files are not there"
    assert "backup.info" in found["20261130T120000"]
    assert found[ID] == ""


def test_what_cannot_be_looked_at_is_no_empty_catalogue(home: Home, tmp_path: Path) -> None:
    """No folder, no server, a folder that is none of Barman's: each in words."""
    with pytest.raises(NotReady, match="has no backups of a server other") as raised:
        source(home, server="other").catalogue()
    assert raised.value.hint == "servers in it: main"
    with pytest.raises(NotReady, match="No such file or directory"):
        source(Home(tmp_path / "nothing")).catalogue()
    with pytest.raises(NotReady, match="has no backups of a server main"):
        source(Home(tmp_path)).inventory()
    with pytest.raises(Refused, match="is no name of a server"):
        source(home, server="../main").catalogue()
    shutil.rmtree(home.base())
    shutil.rmtree(home.server / "meta")
    assert source(home).catalogue() == []


def test_its_own_configuration_says_where_things_are(home: Home, tmp_path: Path) -> None:
    """Also in a file beside, and with a name that stands for another option."""
    moved = tmp_path / "elsewhere"
    shutil.move(home.server / "wals", moved)
    write(tmp_path / "barman.conf", f"[barman]\nbarman_home={home.root}\n"
          f"configuration_files_directory={tmp_path}/conf.d\n".encode())  # fmt: skip  # lines of a file
    write(
        tmp_path / "conf.d" / "main.conf",
        (f"[main]\nbasebackups_directory = %(backup_directory)s/base\nwals_directory = {moved}\n").encode(),
    )
    backup = Backup("orders", "barman", None, "main", config=tmp_path / "barman.conf")
    found = Barman(backup, programs=Given(), commands=COMMANDS, values={})
    (kept,) = found.catalogue()
    assert kept.sound == ""
    assert f"{moved}/{FIRST[:16]}/{FIRST}" in found.inventory()
    with pytest.raises(NotReady, match="has no server sub"):
        Barman(replace(backup, server="sub"), programs=Given(), commands=COMMANDS, values={}).catalogue()
    write(tmp_path / "conf.d" / "main.conf", b"[main]\nbasebackups_directory = s3://bucket/x\n")
    with pytest.raises(Unable, match="in the cloud"):
        Barman(backup, programs=Given(), commands=COMMANDS, values={}).catalogue()


def test_a_plain_backup_becomes_a_data_directory(home: Home, tmp_path: Path) -> None:
    """With its tablespace in the place, empty folders, and nothing of the original's own."""
    before = source(home).inventory()
    folder, brought = restored(home, tmp_path / "place")
    data = folder / "data"
    assert (data / "base" / "5" / "1259").read_bytes() == b"rows"
    assert (data / "pg_notify").is_dir()
    assert (data / "pg_wal" / "archive_status").is_dir()
    assert not (data / "postmaster.pid").exists()
    assert (data / "pg_tblspc" / "16389").readlink() == folder / "tablespaces" / "16389"
    assert (data / "pg_tblspc" / "16389" / "PG_18_202506291" / "5" / "16390").read_bytes() == b"big rows"
    assert (list(brought.said), brought.archive_end, brought.wal) == ([], name(6), folder / "wal")
    assert sorted(path.name for path in (folder / "wal").iterdir()) == [name(4), name(5), name(6)]
    assert (folder / "wal" / FIRST).read_bytes() == segment(4)
    assert [part.name for part in brought.parts] == ["restore", "fetch"]
    assert source(home).inventory() == before


def test_an_archive_of_any_packing_becomes_plain(home: Home, tmp_path: Path) -> None:
    """What packs a piece is told by its first bytes; zstd and lz4 are programs, here such that take off those alone."""
    programs = Given(tmp_path / "bin")
    programs.script("zstd", 'tail -c +5 "$4" > "$6"')  # -d -q -f PACKED -o PLAIN
    programs.script("lz4", 'tail -c +5 "$4" > "$5"')
    for number, content in (
        (5, bz2.compress(segment(5))), (6, lzma.compress(segment(6))), (7, segment(7)),
        (8, b"\x28\xb5\x2f\xfd" + segment(8)), (9, b"\x04\x22\x4d\x18" + segment(9)),
    ):  # fmt: skip  # pieces in groups
        home.piece(name(number), content)
    made = place(tmp_path / "place")
    brought = source(home, programs=programs).bring(only(home), made, point=Point(), within=WITHIN)
    assert (list(brought.said), brought.archive_end) == ([], name(9))
    for number in range(4, 10):
        assert (made.folder / "wal" / name(number)).read_bytes() == segment(number)
    assert not any((made.folder / "work").iterdir())


def packed(content: bytes) -> bytes:
    """The same bytes each time: without the time of the packing."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (packed(segment(5))[:-9], "cannot be unpacked: Compressed file ended"),
        (packed(segment(5))[:-6] + b"\0\1" + packed(segment(5))[-4:], "unpacked: CRC check failed"),
        (packed(segment(5, size=9000)), "it has 9000 bytes in place of 1048576"),
        (packed(bytes(len(segment(5)))), "it does not begin as a piece of the write-ahead log does"),
        (packed(segment(5, system="12")), "it is of the system 12, and not of 7713908852191713072"),
        (packed(segment(9)), "it is another piece of the write-ahead log"),
    ],
    ids=["cut", "flipped", "short", "zeroes", "other system", "other piece"],
)  # fmt: skip  # one case a line
def test_a_damaged_piece_is_told_and_not_taken_for_the_end(
    home: Home, tmp_path: Path, content: bytes, words: str
) -> None:
    """It is not replayed either; the archive's end stays where it is."""
    home.piece(name(5), content)
    folder, brought = restored(home, tmp_path / "place")
    (said,) = brought.said
    assert "is damaged" in said
    assert words in said
    assert brought.archive_end == name(6)
    assert not (folder / "wal" / name(5)).exists()


def test_a_missing_piece_and_what_the_list_says_are_told(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Barman restores what its list has, so that a piece that is in one of both alone is told."""
    (home.server / "wals" / FIRST[:16] / name(5)).unlink()
    home.piece(name(7), gzip.compress(segment(7)), listed=False)
    home.listed[name(6)] = home.listed[name(6)].replace(f"\t{len(gzip.compress(segment(6)))}\t", "\t1\t")
    home.write_list()
    monkeypatch.setattr(barman, "WRITES", timedelta(0))
    _, brought = restored(home, tmp_path / "place")
    assert list(brought.said) == [
        f"main-xlog.db has pieces that are not in the archive: {name(5)}",
        f"the archive has pieces that are not in main-xlog.db, so Barman would not restore them: {name(7)}",
        f"pieces of the archive have another size than main-xlog.db says: {name(6)}",
        f"{name(5)} is missing in the middle of the archive: what comes behind it cannot be reached",
    ]


def test_what_has_come_in_belongs_to_the_archive(home: Home, tmp_path: Path) -> None:
    """Barman takes it from there within a minute; what is still being received does not count."""
    write(home.server / "incoming" / name(7), segment(7))
    write(home.server / "streaming" / f"{name(8)}.partial", segment(8))
    folder, brought = restored(home, tmp_path / "place")
    assert (list(brought.said), brought.archive_end) == ([], name(7))
    assert (folder / "wal" / name(7)).read_bytes() == segment(7)


def test_what_is_archived_meanwhile_is_found_where_it_went(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Barman goes on while a backup is restored: a piece that had come in is in the archive a moment later."""
    write(home.server / "incoming" / name(7), segment(7))
    listed = home.server / "wals" / FIRST[:16] / name(7)

    def archives(folder: Folder, piece: str, into: Path) -> int:
        waiting = home.server / "incoming" / name(7)
        if waiting.exists():
            home.archive(7)
            waiting.unlink()
        return fetch(folder, piece, into)

    fetch = Folder.fetch
    monkeypatch.setattr(Folder, "fetch", archives)
    folder, brought = restored(home, tmp_path / "place")
    assert listed.exists()
    assert (list(brought.said), brought.archive_end) == ([], name(7))
    assert (folder / "wal" / name(7)).read_bytes() == segment(7)


def test_a_backup_without_its_own_archive_is_not_restored(home: Home, tmp_path: Path) -> None:
    """It would never be consistent."""
    (home.server / "wals" / FIRST[:16] / FIRST).unlink()
    kept = only(home)
    assert kept.sound == f"of the archive it needs {FIRST}, and that is not there"
    with pytest.raises(DrillError, match=f"cannot be restored: of the archive it needs {FIRST}"):
        restored(home, tmp_path / "place", kept)


def test_an_encrypted_archive_or_backup_is_not_opened(home: Home, tmp_path: Path) -> None:
    """Nothing can be said of it."""
    home.listed[name(6)] = home.listed[name(6)].replace("None", "gpg")
    home.write_list()
    with pytest.raises(Unable, match="the archive is encrypted"):
        restored(home, tmp_path / "place")
    home.backup(NEXT, entry=info(encryption="gpg"))
    kept = next(kept for kept in source(home).catalogue() if kept.id == NEXT)
    with pytest.raises(Unable, match=f"{NEXT} is encrypted"):
        restored(home, tmp_path / "other", kept)


def test_an_entry_that_is_not_the_catalogues_any_more_is_not_restored(home: Home, tmp_path: Path) -> None:
    """What is recorded as restored must be what was chosen."""
    kept = only(home)
    home.entry(info(begin_wal=name(5)))
    with pytest.raises(Refused, match="was changed meanwhile"):
        restored(home, tmp_path / "place", kept)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (info(status="FAILED", begin_wal="None"), "its status is FAILED"),
        (info(tablespaces="[('big'"), "its tablespaces cannot be read"),
        (b"nonsense\n", "its backup.info cannot be read"),
        (info(end_wal="None", begin_wal="None"), "does not say which pieces"),
    ],
)
def test_a_backup_that_nobody_can_restore_fails_for_the_reason_of_the_catalogue(
    home: Home, tmp_path: Path, entry: bytes, words: str
) -> None:
    """It is an error of the backup's, and nothing that could not be looked at."""
    home.entry(entry)
    with pytest.raises(DrillError, match=f"{ID} cannot be restored: .*{words}") as raised:
        restored(home, tmp_path / "place")
    assert type(raised.value) is DrillError


def test_a_repository_is_opened_for_reading_alone(home: Home) -> None:
    """By drdrill itself: no tool of Barman's is let near it."""
    assert source(home).read_only == ""
    assert "without Barman" in source(home).tool
