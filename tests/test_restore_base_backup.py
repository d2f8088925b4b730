"""Base backups of pg_basebackup: what they say of themselves, and what is made of them."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import DrillError, NotInTime, NotReady
from harness.restores import Brought, Kept, Point
from harness.restores.described import Backup
from harness.restores.sources.base_backup import BaseBackupFolders
from harness.restores.sources.base_backup_files import label
from harness.restores.sources.tars import Damaged
from tests import made_base_backups as made
from tests.recorded_commands import Answer, BarePlace, Plainly, Recorded

WITHIN = timedelta(minutes=1)
SYSTEM = str(made.SYSTEM)


def source(repository: Path) -> BaseBackupFolders:
    described = Backup("shop", "pg_basebackup", repository=repository)
    return BaseBackupFolders(described, programs=Plainly(), commands=Recorded({}), values={})


def brought(
    repository: Path, folder: Path, *, verified: Answer = "backup successfully verified\n", id: str = "",
    combined: Answer = "", within: timedelta = WITHIN,
) -> tuple[Brought, Path, Recorded]:  # fmt: skip  # parameters in groups
    """Of the newest backup, or the one named; the place, and what was run in it."""
    asked = source(repository)
    kept = next(each for each in reversed(asked.catalogue()) if id in ("", each.id))
    commands = Recorded({"^pg_verifybackup": verified, "^pg_combinebackup": combined})
    place = BarePlace(folder, 15, commands)
    return asked.bring(kept, place, point=Point(), within=within), folder, commands


def only(repository: Path) -> Kept:
    (found,) = source(repository).catalogue()
    return found


# The catalogue


def test_a_plain_backup_says_all_of_itself(tmp_path: Path) -> None:
    """Times are those of its label and its manifest, whenever its files were written."""
    made.plain(tmp_path / "2026" / "monday", 4)
    kept = only(tmp_path)
    assert (kept.id, kept.version, kept.system, kept.kind, kept.sound) == ("2026/monday", 15, SYSTEM, "full", "")
    assert kept.began == datetime(2026, 11, 30, 10, 38, 11, tzinfo=UTC)
    assert kept.ended == datetime(2026, 11, 30, 10, 38, 12, tzinfo=UTC)
    assert kept.digest == hashlib.sha256((tmp_path / "2026/monday/backup_manifest").read_bytes()).hexdigest()
    assert (kept.digest_of, kept.facts["first"], kept.facts["segment"]) == (
        "the manifest",
        made.name(4),
        str(made.SIZE),
    )


def test_a_backup_of_tars_says_the_same(tmp_path: Path) -> None:
    """Read from the beginnings of its archives."""
    made.tars(tmp_path / "t", 4, spaces={"16384": "/original/ts"})
    kept = only(tmp_path)
    assert (kept.id, kept.version, kept.system, kept.sound) == ("t", 15, SYSTEM, "")
    assert source(tmp_path).needs(kept).tablespaces == ["the one with the OID 16384"]


def test_tars_without_their_log_say_it_by_the_archive_or_by_themselves(tmp_path: Path) -> None:
    """The version is found in either; the system is known once it is restored, where only the base says it."""
    made.tars(tmp_path / "t", 4, wal=False)
    assert (only(tmp_path).version, only(tmp_path).system) == (15, "")
    (tmp_path / "wal").mkdir()
    (tmp_path / "wal" / f"{made.name(4)}.gz").write_bytes(gzip.compress(made.segment(4)))
    assert (only(tmp_path).version, only(tmp_path).system) == (15, SYSTEM)


def test_the_repository_itself_may_be_one(tmp_path: Path) -> None:
    """And its archive is no part of it."""
    made.plain(tmp_path, 4)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / made.name(5)).write_bytes(made.segment(5))
    kept = only(tmp_path)
    assert kept.id == "."
    assert kept.stored == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) - made.SIZE


def test_they_are_sorted_by_when_they_were_taken(tmp_path: Path) -> None:
    """An old one that was copied just now stays the old one."""
    made.plain(tmp_path / "b", 4, listed=False, time="2026-11-02 10:00:00 UTC")
    made.plain(tmp_path / "a", 5, listed=False, time="2026-11-03 10:00:00 UTC")
    (tmp_path / "b" / "backup_label").touch()
    assert [kept.id for kept in source(tmp_path).catalogue()] == ["b", "a"]


def test_without_a_manifest_that_is_said(tmp_path: Path) -> None:
    """The digest is that of the label then."""
    made.plain(tmp_path / "b", 4, listed=False)
    kept = only(tmp_path)
    assert kept.digest_of == "the label: it has no manifest that its files are compared with"
    assert kept.digest == hashlib.sha256(made.label(4)).hexdigest()


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-11-30 10:38:11+00:00"),
        ("+0530", "2026-11-30 05:08:11+00:00"),
        ("-03", "2026-11-30 13:38:11+00:00"),
        ("CET", "2026-11-30 09:38:11+00:00"),
        ("IST", "2026-11-30 05:08:11+00:00"),  # of India, which is earlier than that of Ireland
    ],
)
def test_a_zone_is_taken_for_the_earliest_that_it_can_be(zone: str, expected: str) -> None:
    """A short name may be that of several; a backup is not made younger than it may be."""
    found = label(made.label(4, time=f"2026-11-30 10:38:11 {zone}").decode())
    assert found is not None and str(found.began.astimezone(UTC)) == expected


def test_a_label_of_no_known_zone_is_none() -> None:
    """It does not say when it began."""
    assert label(made.label(4, time="2026-11-30 10:38:11 XYZ").decode()) is None
    assert label("START TIME: 2026-11-30 10:38:11 UTC\n") is None


def test_what_is_wrong_with_one_is_in_the_catalogue(tmp_path: Path) -> None:
    """A manifest that was changed, one that is of another system, one that is not finished, a label that is gone."""
    made.plain(tmp_path / "changed", 4)
    text = (tmp_path / "changed" / "backup_manifest").read_text()
    (tmp_path / "changed" / "backup_manifest").write_text(text.replace("1259", "1260"))
    made.plain(tmp_path / "other", 4, listed=False)
    (tmp_path / "other" / "backup_manifest").write_bytes(made.manifest({}, 4, system=5))
    made.plain(tmp_path / "begun", 4, listed=False)
    (tmp_path / "begun" / "backup_manifest.tmp").write_text("{")
    made.plain(tmp_path / "without", 4)
    (tmp_path / "without" / "backup_label").unlink()
    made.tars(tmp_path / "torn", 4)
    (tmp_path / "torn" / "base.tar.gz").write_bytes(b"no gzip at all" * 100)
    said = {kept.id: kept.sound for kept in source(tmp_path).catalogue()}
    assert said["changed"] == "its manifest is not what its own checksum says"
    assert said["other"] == f"its manifest is of the system 5, its files are of {SYSTEM}"
    assert said["begun"] == "it was not finished: its manifest is a temporary one"
    assert said["without"] == "it has no backup_label that says when it began"
    assert said["torn"].startswith("torn/base.tar.gz is damaged")


def test_a_folder_without_any_file_is_not_an_empty_repository(tmp_path: Path) -> None:
    """Nor is one that is not there."""
    with pytest.raises(NotReady, match="has no file"):
        source(tmp_path).catalogue()
    with pytest.raises(NotReady):
        source(tmp_path / "nowhere").catalogue()
    (tmp_path / "README").write_text("no backup")
    assert source(tmp_path).catalogue() == []


# What is made of them


def test_a_plain_one_becomes_a_data_directory(tmp_path: Path) -> None:
    """With the folders that a copy of objects loses; its log is beside, and not in it."""
    made.plain(tmp_path / "r" / "b", 4)
    (tmp_path / "r" / "b" / "postmaster.pid").write_text("1")
    done, place, commands = brought(tmp_path / "r", tmp_path / "place")
    data = place / "data"
    assert (data / "base/1/1259").read_bytes() == b"rows" * 100
    assert not (data / "postmaster.pid").exists() and (data / "pg_logical" / "snapshots").is_dir()
    assert [path.name for path in (place / "wal").iterdir()] == [made.name(4)] and done.wal == place / "wal"
    assert not [path for path in (data / "pg_wal").iterdir() if path.is_file()]
    assert done.said == [] and done.archive_end == made.name(4)
    assert commands.ran == [("pg_verifybackup", f"--wal-directory={place}/wal", str(data))]
    assert [part.name for part in done.parts] == ["restore", "fetch", "verify"]


def test_tars_become_one_with_their_tablespaces_inside(tmp_path: Path) -> None:
    """And without the map that would lead a server to where they were."""
    made.tars(tmp_path / "r" / "t", 4, spaces={"16384": "/original/ts"})
    done, place, _ = brought(tmp_path / "r", tmp_path / "place")
    assert (place / "data/pg_tblspc/16384").readlink() == place / "tablespaces/16384"
    assert (place / "data/pg_tblspc/16384/PG_15_202209061/5/16384").read_bytes() == b"fast"
    assert not (place / "data" / "tablespace_map").exists() and done.said == []
    assert (place / "data" / "backup_manifest").exists() and done.archive_end == made.name(4)


def test_a_tablespace_that_is_not_in_the_backup_is_missed(tmp_path: Path) -> None:
    """Of tars, one of them; of a plain one, a link that leads out of the repository."""
    made.tars(tmp_path / "r" / "t", 4, spaces={"16384": "/original/ts"})
    (tmp_path / "r" / "t" / "16384.tar.gz").unlink()
    with pytest.raises(DrillError, match="the tablespace 16384 is missing: its tar is not in the backup"):
        brought(tmp_path / "r", tmp_path / "place")
    made.plain(tmp_path / "s" / "b", 4)
    (tmp_path / "s" / "b" / "pg_tblspc").mkdir()
    (tmp_path / "s" / "b" / "pg_tblspc" / "16384").symlink_to("/original/ts")
    with pytest.raises(DrillError, match="it was at /original/ts, which is not in the repository"):
        brought(tmp_path / "s", tmp_path / "other")


def test_a_tablespace_beside_a_plain_one_is_found(tmp_path: Path) -> None:
    """Though the repository was copied to another folder since."""
    made.plain(tmp_path / "r" / "b", 4)
    (tmp_path / "r" / "b" / "pg_tblspc").mkdir()
    (tmp_path / "r" / "b" / "pg_tblspc" / "16384").symlink_to("/backups/b_ts")
    (tmp_path / "r" / "b_ts" / "PG_15_202209061").mkdir(parents=True)
    (tmp_path / "r" / "b_ts" / "PG_15_202209061" / "1").write_text("fast")
    _, place, _ = brought(tmp_path / "r", tmp_path / "place")
    assert (place / "data/pg_tblspc/16384/PG_15_202209061/1").read_text() == "fast"
    assert (place / "data/pg_tblspc/16384").readlink() == place / "tablespaces/16384"


def test_the_archive_goes_on_from_the_backup(tmp_path: Path) -> None:
    """Plain or as gzip; its copy of the backup's own last segment counts, for that one may end early."""
    made.plain(tmp_path / "r" / "b", 4)
    archive = tmp_path / "r" / "wal"
    archive.mkdir()
    for number in (3, 4, 6):
        (archive / made.name(number)).write_bytes(made.segment(number)[:-1] + b"!")
    (archive / f"{made.name(5)}.gz").write_bytes(gzip.compress(made.segment(5)))
    done, place, _ = brought(tmp_path / "r", tmp_path / "place")
    assert sorted(path.name for path in (place / "wal").iterdir()) == [made.name(n) for n in (4, 5, 6)]
    assert (place / "wal" / made.name(4)).read_bytes()[-1:] == b"!"
    assert (done.said, done.archive_end) == ([], made.name(6))


def test_what_is_wrong_with_the_archive_is_told(tmp_path: Path) -> None:
    """Of another system, in the wrong place, cut off, damaged, missing; none of it is its end."""
    made.plain(tmp_path / "r" / "b", 4)
    archive = tmp_path / "r" / "wal"
    archive.mkdir()
    (archive / made.name(5)).write_bytes(made.segment(5, system=9))
    (archive / made.name(6)).write_bytes(made.segment(7))
    (archive / made.name(7)).write_bytes(made.segment(7)[:5000])
    (archive / f"{made.name(8)}.gz").write_bytes(gzip.compress(made.segment(8))[:-20])
    (archive / made.name(10)).write_bytes(made.segment(10))
    done, _, _ = brought(tmp_path / "r", tmp_path / "place")
    for number, words in {8: "of the archive is damaged", 5: "is of the system 9", 6: "does not begin as it should",
                          7: "is not whole: 5000 bytes", 9: "is missing in the middle"}.items():  # fmt: skip  # pairs
        assert any(said.startswith(made.name(number)) and words in said for said in done.said), (number, done.said)
    assert done.archive_end == made.name(10)


def test_a_base_without_its_log_is_an_error(tmp_path: Path) -> None:
    """Neither in it nor beside it."""
    made.plain(tmp_path / "r" / "b", 4, wal=False)
    with pytest.raises(DrillError, match=f"without its write-ahead log: {made.name(4)} is neither in it nor"):
        brought(tmp_path / "r", tmp_path / "place")


def test_what_the_manifest_has_against_it_is_told(tmp_path: Path) -> None:
    """In the program's own words; a program that is silent and failed has something against it, too."""
    made.plain(tmp_path / "r" / "b", 4)
    err = 'pg_verifybackup: error: checksum mismatch for file "base/1/1259"\n'
    done, _, _ = brought(tmp_path / "r", tmp_path / "place", verified=(1, "", err))
    assert done.said == ['pg_verifybackup: error: checksum mismatch for file "base/1/1259"']
    done, _, _ = brought(tmp_path / "r", tmp_path / "other", verified=(1, "", ""))
    assert done.said == ["pg_verifybackup: exit code 1, without a word"]


def test_a_tar_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    """Though its beginning can be read."""
    made.tars(tmp_path / "r" / "t", 4)
    file = tmp_path / "r" / "t" / "base.tar.gz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(Damaged, match=r"t/base.tar.gz is damaged"):
        brought(tmp_path / "r", tmp_path / "place")


def test_nothing_in_a_tar_leads_out_of_the_place(tmp_path: Path) -> None:
    """No name does, and no link is made."""
    folder = made.tars(tmp_path / "r" / "t", 4)
    files = made.content(4)
    (folder / "base.tar.gz").write_bytes(gzip.compress(made.tar({**files, "../../evil": b"x"})))
    with pytest.raises(Damaged, match="leads out of the place"):
        brought(tmp_path / "r", tmp_path / "one")
    links = made.tar(files, links={"base/2": "/etc", "pg_tblspc/1": "/etc"})
    (folder / "base.tar.gz").write_bytes(gzip.compress(links))
    done, place, _ = brought(tmp_path / "r", tmp_path / "two")
    assert done.said == ["t/base.tar.gz: base/2 is neither file nor folder, and was left out"]
    assert not (place / "data/base/2").exists() and not (place / "data/pg_tblspc/1").exists()
    assert not (tmp_path / "evil").exists()


def test_an_incremental_one_is_combined_with_what_it_goes_with(tmp_path: Path) -> None:
    """In order; its size is at most that of all of them."""
    made.plain(tmp_path / "r" / "full", 4)
    made.plain(tmp_path / "r" / "one", 5, after=made.lsn(4))
    made.plain(tmp_path / "r" / "two", 6, after=made.lsn(5), time="2026-11-30 11:00:00 UTC")

    def combine(words: tuple[str, ...]) -> tuple[int, str, str]:
        shutil.copytree(words[3], words[-1].removeprefix("--output="), dirs_exist_ok=True)
        return 0, "", ""

    done, place, commands = brought(tmp_path / "r", tmp_path / "place", combined=combine)
    words = next(words for words in commands.ran if words[0] == "pg_combinebackup")
    assert words == ("pg_combinebackup", *(f"{place}/combined/{n}" for n in range(3)), f"--output={place}/data")
    assert not (place / "combined").exists() and done.said == [] and done.archive_end == made.name(6)
    kept = {each.id: each for each in source(tmp_path / "r").catalogue()}
    assert (kept["two"].kind, kept["full"].kind) == ("incremental", "full")
    assert kept["two"].size > kept["one"].size > kept["full"].size


def test_an_incremental_one_without_its_parent_is_told(tmp_path: Path) -> None:
    """In the catalogue, and as an error where it is restored all the same."""
    made.plain(tmp_path / "r" / "one", 5, after=made.lsn(4))
    assert "is incremental, and the one before it" in only(tmp_path / "r").sound
    with pytest.raises(DrillError, match="is not there"):
        brought(tmp_path / "r", tmp_path / "place")


def test_a_restore_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """Between two files at the latest."""
    made.plain(tmp_path / "r" / "b", 4)
    with pytest.raises(NotInTime):
        brought(tmp_path / "r", tmp_path / "place", within=timedelta())
