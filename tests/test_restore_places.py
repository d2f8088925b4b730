"""The empty place of a restore: how this machine keeps it apart, what it takes out of a backup, what it leaves."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import NotReady, Refused, Unable
from harness.evidence.run_folder import temporary_prefix
from harness.restores.programs import cleared, left, reaching, settings
from harness.restores.programs.machine import ThisMachine, folder_of
from harness.restores.programs.place import OwnPlace
from harness.restores.programs.process import addresses
from harness.restores.programs.ways import Way, best_way
from harness.system.command import Commands, Process, with_descendants
from harness.system.recorder import Memory
from tests.real.refusing import refusing_argv

RUN = "2026-11-30-trial"
CONTROL = """
pg_control version number:            1300
wal_level setting:                    logical
max_connections setting:              250
max_worker_processes setting:         4
max_wal_senders setting:              30
max_prepared_xacts setting:           7
max_locks_per_xact setting:           64
track_commit_timestamp setting:       on
"""


@pytest.fixture
def commands() -> Commands:
    """Of a run."""
    return Commands(Memory(), label=RUN)


def whole(given: dict[str, str], *, version: int = 15, recovery: bool = True) -> tuple[dict[str, str], dict[str, str]]:
    return settings.whole(
        given, folder=Path("/p"), sockets=Path("/p/sockets"), version=version, recovery=recovery, control=CONTROL,
        libraries=["pg_stat_statements"],
    )  # fmt: skip  # arguments in groups


# What this machine allows


def test_the_way_is_found_by_trying_and_says_why_a_better_one_is_not_gone() -> None:
    """A user that is not root cannot go the first way, and the reason is told."""
    found = best_way()
    assert found.name in ("privileged", "rootless", "none")
    assert (found.name == "privileged") == (found.why == "")


def inside(script: str, kept: Path, read: Path) -> subprocess.CompletedProcess[str]:
    """What a shell says in the namespaces of a place, as who may do everything there."""
    holder = best_way().holder([kept], reads=[read])
    with subprocess.Popen(holder, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            words = [*best_way().join(running.pid, view=True), "sh", "-c", script, "sh", str(kept), str(read)]
            return subprocess.run(words, capture_output=True, text=True, check=False)
        finally:
            running.kill()


def test_nothing_but_the_place_is_written_from_inside(tmp_path: Path) -> None:
    """Whatever a backup brings with it; and of what is no part of the system, nothing but the place is in sight."""
    odd = tmp_path / "größe \\ of it"
    kept, read, other = odd / "kept", odd / "read", odd / "other"
    for path in (kept, read, other):
        path.mkdir(parents=True)
    script = (
        'touch "$1/new"; ls "$1/.."; for at in "$2" /etc /usr /var /home /root; do touch "$at/drdrill"; done;'
        "ls /var /root /home /run; touch /tmp/x /dev/shm/x; ls /proc >/dev/null && echo proc"
    )
    said = inside(script, kept, read)
    assert (kept / "new").exists() and not list(other.iterdir()) and not list(read.iterdir())
    assert said.stderr.count("Read-only file system") == 6
    assert said.stdout.split() == ["kept", "read", "/home:", "/root:", "/run:", "/var:", "proc"]


def test_where_no_namespace_is_had_nothing_is_called_read_only_or_apart() -> None:
    """It is no error: whoever asks is told, so that a verdict can be."""
    code = (
        "from harness.restores.programs.machine import ThisMachine; from harness.system.command import Commands;"
        "from harness.system.recorder import Memory; from pathlib import Path;"
        "one = ThisMachine(Commands(Memory(), label='x'));"
        "print([one.read_only], one._way.name, len(one.words('true', reads=[Path('/usr')])), one._way.why, sep='|')"
    )
    ended = subprocess.run([*refusing_argv(), sys.executable, "-c", code], capture_output=True, text=True, check=False)
    read_only, name, words, why = ended.stdout.strip().split("|")
    assert (read_only, name, words) == ("['']", "none", "1"), ended.stderr
    assert "rootless: unshare" in why


def test_a_tool_cannot_write_what_it_reads_nor_make_that_possible(commands: Commands, tmp_path: Path) -> None:
    """It is the system that refuses; what is beside can be written."""
    repository = tmp_path / "a repository"
    (repository / "in it").mkdir(parents=True)
    programs = ThisMachine(commands)
    assert programs.read_only
    script = 'touch "$1/in it/new" "$1/new"; mount -o remount,bind,rw "$1"; touch "$1/new"; touch "$2/beside"'
    words = [*programs.words("sh", reads=[repository]), "-c", script, "sh", str(repository), str(tmp_path)]
    done = commands.run(words, check=False)
    assert done.err.count("Read-only file system") == 3
    assert [path.name for path in repository.rglob("*")] == ["in it"]
    assert (tmp_path / "beside").stat().st_uid == os.geteuid()


def test_a_tool_whose_reads_cannot_be_made_read_only_is_not_run(commands: Commands, tmp_path: Path) -> None:
    """The repository that is not there is the wrapper's own error."""
    words = [*ThisMachine(commands).words("touch", reads=[tmp_path / "none"]), str(tmp_path / "ran")]
    done = commands.run(words, check=False)
    assert done.exit == 125 and "No such file" in done.err
    assert not (tmp_path / "ran").exists()


def test_a_tool_reaches_something_only_where_it_is_given_the_network(commands: Commands, tmp_path: Path) -> None:
    """Tried against a port that is listened at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = ("-I", reaching.__file__, f"127.0.0.1:{server.getsockname()[1]}")
        python = ThisMachine(commands)
        name = Path(sys.executable).name
        said = [
            commands.run([*python.words(name, reads=[tmp_path], network=given), *words]).out.strip()
            for given in (False, True)
        ]
    assert said == ["Network is unreachable", "taken"]


def test_a_version_that_is_not_here_is_named_with_what_installs_it() -> None:
    """As a tool that is not here."""
    with pytest.raises(Unable, match="no postgres of PostgreSQL 7 on this machine") as told:
        folder_of("postgres", 7)
    assert "apt install postgresql-7" in told.value.hint
    with pytest.raises(Unable, match="no no-such-tool on this machine"):
        ThisMachine(Commands(Memory(), label=RUN)).words("no-such-tool")


def test_a_program_of_another_version_is_not_taken_for_one_of_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on PATH is asked for its version."""
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 77.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert folder_of("postgres", 77) == tmp_path
    with pytest.raises(Unable):
        folder_of("postgres", 78)


def test_addresses_are_resolved_before_they_are_tried_inside() -> None:
    """A name that means nothing stays as it is, and a path is a socket file."""
    assert "127.0.0.1:5432" in addresses("localhost:5432")
    assert addresses("[::1]:1") == ["::1:1"]
    assert addresses("no.such.invalid:1") == ["no.such.invalid:1"]
    assert addresses("/run/postgresql") == ["/run/postgresql"]


# What a backup brings of the original's settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with what an original leaves in one."""
    made = tmp_path / "place" / "data"
    (made / "conf.d").mkdir(parents=True)
    (made / "pg_tblspc").mkdir()
    for name in ("standby.signal", "recovery.signal", "recovery.conf", "postmaster.pid", "postmaster.opts"):
        (made / name).write_text("left")
    secret = "primary_conninfo = 'host=original password=secret-word'\n"
    for name in ("postgresql.conf", "postgresql.auto.conf", "postgresql.conf.bak", "conf.d/50.conf", "pg_hba.conf"):
        (made / name).write_text(secret)
    (made / "PG_VERSION").write_text("15\n")
    return made


def test_no_setting_and_no_connection_string_of_the_original_stays(data: Path) -> None:
    """Also in files that are only included, or are copies."""
    cleared.clear(data)
    assert {path.name: path.read_text() for path in data.rglob("*") if path.is_file() and path.read_text()} == {
        "PG_VERSION": "15\n"
    }
    assert not any((data / name).exists() for name in cleared.REMOVED)
    assert (data / "postgresql.auto.conf").stat().st_mode & 0o777 == 0o600


def test_a_settings_file_that_is_a_link_leaves_its_target_as_it_is(data: Path, tmp_path: Path) -> None:
    """The original's own file may be the target."""
    original = tmp_path / "original.conf"
    original.write_text("archive_command = 'cp %p /archive'")
    (data / "postgresql.conf").unlink()
    (data / "postgresql.conf").symlink_to(original)
    cleared.clear(data)
    assert original.read_text() and not (data / "postgresql.conf").is_symlink()


@pytest.mark.parametrize("how", ["link", "map", "wal"])
def test_a_server_that_would_write_outside_of_its_place_is_not_started(data: Path, tmp_path: Path, how: str) -> None:
    """A tablespace of the original is where the original's data lie."""
    place = data.parent
    (place / "tablespaces" / "1").mkdir(parents=True)
    (data / "pg_tblspc" / "1").symlink_to(place / "tablespaces" / "1")
    cleared.must_stay_inside(data, place)
    outside = tmp_path / "original"
    outside.mkdir()
    if how == "map":
        (data / "tablespace_map").write_text(f"2 {outside}\n")
    else:
        (data / ("pg_wal" if how == "wal" else "pg_tblspc/2")).symlink_to(outside)
    with pytest.raises(NotReady, match=r"would write to .*original, which is not in its place"):
        cleared.must_stay_inside(data, place)


def test_the_libraries_of_the_original_are_known_but_for_those_that_begin_work(data: Path) -> None:
    """The file of ALTER SYSTEM counts last."""
    (data / "postgresql.conf").write_text("#shared_preload_libraries = 'no'\nshared_preload_libraries = 'one'\n")
    assert cleared.preloaded(data) == ["one"]
    (data / "postgresql.auto.conf").write_text("shared_preload_libraries = 'pg_cron, timescaledb, $libdir/x'\n")
    assert cleared.preloaded(data) == ["timescaledb"]


def test_a_superuser_of_another_name_is_found_in_the_files(data: Path) -> None:
    """The one that the cluster was made with comes first; who may not log in is none."""
    rows = [(16400, "another", 1, 1), (10, "owner", 1, 1), (16401, "app", 0, 1), (16402, "group", 1, 0)]
    page, items, at = bytearray(8192), b"", 8192
    for oid, name, every, login in rows:
        body = struct.pack("<I64s5B", oid, name.encode(), every, 1, 0, 0, login) + bytes(7)
        header = bytearray(24)
        header[22] = 24
        row = bytes(header) + body
        at -= 120
        page[at : at + len(row)] = row
        items += struct.pack("<I", at | 1 << 15 | len(row) << 17)
    page[12:14] = struct.pack("<H", 24 + len(items))
    page[24 : 24 + len(items)] = items
    (data / "global").mkdir()
    (data / "global" / "5000").write_bytes(bytes(page))
    (data / "global" / "pg_filenode.map").write_bytes(struct.pack("<iiII", cleared.MAP_MAGIC, 1, 1260, 5000))
    assert cleared.superusers(data, 15) == ["owner", "another"]
    (data / "global" / "5000").unlink()
    assert cleared.superusers(data, 15) == []


# The settings of the place


def test_what_keeps_the_server_apart_stands_against_what_is_given() -> None:
    """Nothing is archived, and nobody is listened to but at the socket file."""
    given = {"archive_mode": "on", "archive_command": "cp %p /archive", "listen_addresses": "*", "work_mem": "64MB"}
    ordinary, recovering = whole(given)
    assert (ordinary["archive_mode"], ordinary["archive_command"], ordinary["listen_addresses"]) == ("off", "", "")
    assert ordinary["work_mem"] == "64MB" and recovering == {}


def test_recovery_has_at_least_what_the_original_had() -> None:
    """Or it would not go on; smaller numbers are raised to PostgreSQL's own."""
    ordinary, _ = whole({})
    wanted = {"max_connections": "250", "max_worker_processes": "8", "max_wal_senders": "30"}
    wanted |= {"max_prepared_transactions": "7", "wal_level": "logical", "track_commit_timestamp": "on"}
    assert {name: ordinary[name] for name in wanted} == wanted
    assert settings.controlled("")["max_connections"] == "100"


def test_without_an_archive_a_backup_must_have_all_in_it() -> None:
    """The command for pieces finds nothing; with an archive it is the one that is given."""
    assert whole({})[0]["restore_command"] == "false"
    given = {"restore_command": 'cp /wal/%f "%p"', "recovery_target_xid": "7", "recovery_target_action": "pause"}
    assert {name: whole(given)[0][name] for name in given} == given
    assert "restore_command" not in whole({}, recovery=False)[0]


def test_versions_before_12_have_a_file_of_recovery() -> None:
    """And would not start with these among their ordinary settings."""
    given = {"restore_command": 'cp /wal/%f "%p"', "recovery_target_xid": "7"}
    ordinary, recovering = whole(given, version=11)
    assert set(recovering) == {*given, "recovery_target_action"}
    assert not set(recovering) & set(ordinary)


# The folder, and what is left of it


def test_a_place_is_made_in_an_empty_folder_alone(commands: Commands, tmp_path: Path) -> None:
    """Nothing that is there is written over, or taken for restored; nor is a link followed."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name in ("full", "full/file", "link"):
        with pytest.raises(Refused, match="is not empty"):
            OwnPlace(tmp_path / name, 15, room=None, commands=commands)  # it is refused before a room counts


def dead(folder: Path, **facts: object) -> left.Mark:
    """A place whose harness is gone."""
    folder.mkdir(parents=True)
    mark = left.Mark.new(folder, run=RUN)
    ended = subprocess.Popen(["true"])
    ended.wait()
    mark.note(harness=[ended.pid, 1], **facts)
    return mark


def test_what_a_killed_run_left_is_ended_and_removed(commands: Commands, tmp_path: Path) -> None:
    """Also a process that was not written down, and a folder that its owner may not change; no link is followed."""
    place, original = tmp_path / "places" / "one", tmp_path / "original"
    mark = dead(place)
    original.mkdir()
    (original / "file").touch()
    (place / "data" / "closed").mkdir(parents=True)
    (place / "data" / "closed" / "file").touch()
    (place / "data" / "link").symlink_to(original)
    (place / "pg_wal").symlink_to(original)
    (place / "data" / "closed").chmod(0o500)
    keyed = commands.start(["sleep", "60"], log=tmp_path / "log", env={left.KEY: mark.key}, part=False)
    tool = commands.start(["sh", "-c", "sleep 60", str(place / "data")], log=tmp_path / "log", part=False)
    # of a database whose name begins as this one's does
    other = commands.start(["sh", "-c", "sleep 60", f"{place}-2/data"], log=tmp_path / "log", part=False)
    try:
        assert left.sweep(tmp_path) == [f"{place}, left by run {RUN}: removed"]
        assert [each.running() for each in (keyed, tool, other)] == [False, False, True]
    finally:
        for each in with_descendants([other]):
            each.send(signal.SIGKILL)
    assert (original / "file").exists() and not place.exists()
    assert left.sweep(tmp_path) == []


def test_a_place_of_a_run_that_is_alive_stays(tmp_path: Path) -> None:
    """So does a folder that is not marked as ours, and one whose mark says too little."""
    alive, unmarked, damaged = tmp_path / "alive", tmp_path / "unmarked", tmp_path / "damaged"
    for folder in (alive, unmarked, damaged):
        (folder / "data").mkdir(parents=True)
    left.Mark.new(alive, run=RUN)
    (damaged / left.MARK).write_text('{"run": "x", "harness": [1, 1]}')
    assert left.sweep(tmp_path) == []
    assert all((folder / "data").exists() for folder in (alive, unmarked, damaged))


def test_a_reused_number_of_a_process_is_not_hit(tmp_path: Path) -> None:
    """It is known by when it began, too; and after a start of the machine no number means anything."""
    mine = Process.of(os.getpid())
    mark = dead(tmp_path / "one", processes=[[mine.pid, mine.started + 1]])
    assert mark.processes() == []
    mark.note(boot="another", harness=[mine.pid, mine.started])
    assert not mark.alive() and mark.processes() == []


def test_sockets_that_lie_elsewhere_go_with_the_place_and_nothing_else_does(tmp_path: Path) -> None:
    """Only a folder of that run's own name in /tmp is one."""
    other = tmp_path / "other"
    other.mkdir()
    mark = dead(tmp_path / "one", sockets=str(other))
    assert left.remove_files(mark) != "" and other.exists()
    shutil.rmtree(other)
    assert left.remove_files(mark) == ""


def test_a_place_whose_folder_was_given_away_is_removed_without_a_word(tmp_path: Path) -> None:
    """Whoever keeps a folder moves it; what lies elsewhere goes nevertheless."""
    sockets = Path("/tmp") / f"{temporary_prefix(RUN)}{os.getpid()}"
    sockets.mkdir()
    mark = dead(tmp_path / "one", sockets=str(sockets))
    (mark.folder / "data").mkdir()
    mark.folder.rename(tmp_path / "kept")
    assert left.remove_files(mark) == "" and not sockets.exists()
    assert (tmp_path / "kept" / "data").exists()


def test_the_way_into_a_place_that_is_gone_is_an_error() -> None:
    """In one line, with what to do."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(Unable, match="the namespaces of the place are gone"):
        Way("rootless").join(ended.pid, view=True)


def test_a_removal_waits_for_what_it_ends(commands: Commands, tmp_path: Path) -> None:
    """What was started by the place is gone when it says so."""
    mark = dead(tmp_path / "one")
    process = commands.start(["sleep", "60"], log=tmp_path / "log", part=False, keep=mark.started)
    assert left.end(mark) == "" and not process.running()
    assert commands.run(["true"], within=timedelta(seconds=5)).ok
