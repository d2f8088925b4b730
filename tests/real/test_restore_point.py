"""How far real recoveries came: both sides of a point, the end of an archive, and pieces of it that are wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.restores import Kept, Look, Point
from harness.restores.described import Backup, Heartbeat
from harness.restores.proof import identity, log, reached
from harness.restores.proof.heartbeat import Beats, heartbeat
from harness.system import clock
from tests.real.restored import VERSIONS, Original, original, place

SOON = timedelta(milliseconds=200)
BEATS = Heartbeat("beats", "postgres", timedelta(seconds=1))


@dataclass
class Told:
    """An original with a past: rows 1 to 3, a moment, row 4, a restore point, rows 5 to 8, each in a piece or so."""

    original: Original
    moment: datetime
    xid: str
    lsn: str
    pieces: list[Path]
    began: datetime
    ended: datetime


@dataclass
class Recovered:
    up: bool
    found: reached.Reached
    looks: list[Look]
    log: list[Look]
    beats: Beats | None


@pytest.fixture(scope="module", params=VERSIONS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    began = datetime.now(UTC)
    with original(tmp_path_factory.mktemp("told"), request.param) as one:
        ended = datetime.now(UTC)
        clock.sleep(SOON)
        one.beat(times=3)
        clock.sleep(SOON)
        moment = datetime.now(UTC)
        clock.sleep(SOON)
        xid = one.beat()
        lsn = one.ask("SELECT pg_current_wal_insert_lsn()")
        one.ask("SELECT pg_create_restore_point('before the change')")
        for _ in range(2):
            one.ask("SELECT pg_switch_wal()")
            one.beat(times=2)
        yield Told(one, moment, xid, lsn, one.pieces(), began, ended)


def recovered(told: Told, folder: Path, point: Point | None = None, *, pieces: list[Path] | None = None) -> Recovered:
    point = point or Point()
    with place(folder / "place", told.original.server.version) as there:
        up = told.original.restore(there, told.pieces if pieces is None else pieces, point)
        said = there.log.read_text()
        found = reached.reached(said, there.connect if up else None)
        beats = heartbeat(there.connect, BEATS, first="postgres", point=point.time)[0] if up else None
        looks = reached.looks_at_point(found, point, archive_end=told.pieces[-1].name, beats=beats)
        return Recovered(up, found, looks, log.looks_at_log([], said), beats)


def oks(looks: list[Look]) -> list[bool | None]:
    return [look.ok for look in looks]


def changed(told: Told, folder: Path, which: int, change: str) -> list[Path]:
    """The pieces, with one of them as it must not be."""
    folder.mkdir()
    copies = [Path(shutil.copy(piece, folder / piece.name)) for piece in told.pieces]
    content = copies[which].read_bytes()
    half = content.rstrip(b"\0")
    if change == "flipped":
        at = len(half) - 60
        content = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
    elif change == "zeroes":
        content = half[:-300].ljust(len(content), b"\0")
    elif change == "truncated":
        content = content[: len(content) // 2]
    copies[which].write_bytes(content)
    return copies


def test_a_whole_archive_is_replayed_to_its_end(told: Told, tmp_path: Path) -> None:
    """Nothing in the log is wrong, the last row is there, and the line of the journal says where it ended."""
    done = recovered(told, tmp_path)
    assert done.up and oks(done.looks) == [True] and oks(done.log) == [True, True]
    assert done.beats and done.beats.number == 8 and done.beats.missing == 0
    line = done.found.line(Point(), told.pieces[-1].name)
    assert line["point"] == "the end of the archive" and line["ordered"] == {} and line["timeline"] == 2
    assert datetime.fromisoformat(line["at"]) > told.moment and not line["ended_early"]
    behind = done.beats.line(datetime.now(UTC))["behind"]
    assert 0 < behind < 600


@pytest.mark.parametrize("which", ["time", "xid", "lsn", "name"])
def test_a_point_has_two_sides(told: Told, tmp_path: Path, which: str) -> None:
    """The last transaction before it is there, the first after it is not: by the log, and by the rows."""
    last = 3 if which == "time" else 4
    points = {"time": Point(time=told.moment), "xid": Point(xid=told.xid), "lsn": Point(lsn=told.lsn),
              "name": Point(name="before the change")}  # fmt: skip  # one for each
    done = recovered(told, tmp_path, points[which])
    assert done.up and done.beats and done.beats.number == last
    assert oks(done.looks) == [True] * (4 if which == "time" else 2) and oks(done.log) == [True, True]
    if which == "time":
        assert done.found.stopped_before["xid"] == told.xid


@pytest.mark.parametrize("point", [Point(time=datetime(2100, 1, 1, tzinfo=UTC)), Point(name="nobody's")])
def test_an_archive_that_ends_before_the_point_is_told(told: Told, tmp_path: Path, point: Point) -> None:
    """Neither side is right, and where the archive ended is said."""
    done = recovered(told, tmp_path, point)
    assert not done.up and done.found.ended_early and oks(done.looks) == [False, False]
    assert told.pieces[-1].name in done.looks[0].seen and done.found.at in done.looks[0].seen
    assert oks(done.log) == [True, False]


def test_a_point_before_the_end_of_the_backup_is_told(told: Told, tmp_path: Path) -> None:
    """It takes an older backup."""
    done = recovered(told, tmp_path, Point(lsn="0/1000028"))
    assert not done.up and oks(done.looks) == [False, False] and "older one" in done.looks[0].seen


@pytest.mark.parametrize("change", ["flipped", "zeroes", "truncated", "missing"])
def test_a_piece_in_the_middle_that_is_wrong_is_told(told: Told, tmp_path: Path, change: str) -> None:
    """PostgreSQL takes it for the end of the log and comes up: what follows in the archive says that it is not."""
    pieces = changed(told, tmp_path / "wal", 3, change)
    if change == "missing":
        del pieces[3]
    done = recovered(told, tmp_path, pieces=pieces)
    assert done.up == (change != "truncated")
    if done.up:
        assert oks(done.looks) == [False] and told.pieces[-1].name[8:] in done.looks[0].seen
        assert done.beats and done.beats.number < 8
    assert oks(done.log) == [True, change == "missing"]  # the server cannot know of more than it is given


def test_an_archive_that_ends_in_the_middle_of_a_record_is_sound(told: Told, tmp_path: Path) -> None:
    """So does each that is filled, and not switched: the server's words about it are usual ones."""
    with told.original.server.connect() as connection:
        connection.execute("CREATE TABLE big (t text)")
        connection.execute("INSERT INTO big SELECT md5(g::text) FROM generate_series(1, 600000) g")
        connection.execute("DROP TABLE big")
    pieces = told.original.pieces()
    assert len(pieces) > len(told.pieces) + 2
    shorter = replace(told, pieces=pieces[:-2])
    done = recovered(shorter, tmp_path)
    assert done.up and oks(done.log) == [True, True]
    assert oks(done.looks) == [True]


def test_a_backup_without_its_log_does_not_come_up(told: Told, tmp_path: Path) -> None:
    """The server's words are red, and nothing is said of how far it came."""
    done = recovered(told, tmp_path, pieces=[])
    assert not done.up and oks(done.looks) == [None] and oks(done.log) == [True, False]


def test_a_backup_is_known_by_its_control_file(told: Told, tmp_path: Path) -> None:
    """Of which system it is, of which version, and of when: before its server has run."""
    version = told.original.server.version
    with place(tmp_path / "place", version) as there:
        shutil.copytree(told.original.backup, there.data, dirs_exist_ok=True)
        found = identity.control(there)
    system = told.original.ask("SELECT system_identifier FROM pg_control_system()")
    backup = Backup("app", "pg_basebackup", system=system)
    kept = Kept("1", told.ended, version, "files", 1, 1, system=system, began=told.began)
    assert found.system == system and found.checksums and found.version == version
    assert oks(identity.looks_at_files(found, backup, kept)) == [True] * 4
    other = identity.looks_at_files(found, replace(backup, system="7"), replace(kept, system="8", version=12))
    assert oks(other) == [False, False, False, True]
    fresh = replace(kept, began=told.began + timedelta(days=1), ended=told.ended + timedelta(days=1))
    assert oks(identity.looks_at_files(found, backup, fresh)) == [True, True, True, False]
    assert oks(identity.looks_at_files(found, replace(backup, system=""), kept))[0] is None
