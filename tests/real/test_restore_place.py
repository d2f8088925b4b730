"""The place of a restore by programs of this machine: a server of its own, apart, and nothing of it left."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.errors import Unable
from harness.restores.programs import left
from harness.restores.programs.machine import ThisMachine, folder_of
from harness.restores.programs.place import OwnPlace
from harness.restores.programs.process import ISOLATION
from harness.system import wait
from harness.system.command import Commands, end_labelled, labelled
from harness.system.recorder import Memory
from tests.real.refusing import refusing_argv

SOON = timedelta(seconds=60)


def here() -> list[int]:
    """The major versions whose servers this machine has."""
    found = []
    for version in range(12, 20):
        with suppress(Unable):
            folder_of("postgres", version)
            found.append(version)
    return found


Made = Callable[[str], OwnPlace]


@pytest.fixture
def commands(request: pytest.FixtureRequest) -> Commands:
    """Of a run of this test."""
    return Commands(Memory(), label=f"2026-11-30-place-{os.getpid()}")


@pytest.fixture(params=here())
def make(request: pytest.FixtureRequest, commands: Commands, tmp_path: Path) -> Iterator[Made]:
    """Makes places by the programs of one version, and removes them."""
    programs, made = ThisMachine(commands), []

    def one(name: str) -> OwnPlace:
        made.append(programs.place(tmp_path / name, request.param))
        return made[-1]

    yield one
    assert [place.remove() for place in made] == [""] * len(made)
    assert labelled(commands.label) == []


def answers(place: OwnPlace, *, writable: bool = True) -> psycopg.Connection[Any]:
    """The connection, as soon as the server takes it and has recovered."""

    def asked() -> psycopg.Connection[Any] | None:
        with suppress(psycopg.Error):
            connection = place.connect()
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            if row is not None and not (writable and row[0]):
                return connection
            connection.close()
        return None

    found = wait.poll(asked, within=SOON)
    assert found is not None, place.log.read_text()
    return found


def test_a_server_of_its_own_is_made_asked_and_removed(make: Made) -> None:
    """Empty at first; its settings are ours; programs of PostgreSQL find it; its end is clean."""
    place = make("one")
    assert list(place.data.iterdir()) == [] and "without a" in place.isolation
    place.initialise("--username=owner", "--data-checksums")
    place.start({"work_mem": "7MB", "archive_mode": "always"})
    with answers(place) as connection:
        names = ("archive_mode", "listen_addresses", "work_mem", "server_version_num", "log_timezone")
        values = [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]
        assert values[:3] == ["off", "", "7MB"] and values[4] == "UTC"
        assert int(values[3]) // 10000 == place.version
        assert connection.info.user == "owner"
    script = place.folder.parent / "script.sql"
    script.write_text("CREATE TABLE rows AS SELECT generate_series(1, 42) AS n;\nSELECT count(*) FROM rows;\n")
    assert place.run("psql", "-qAt", within=SOON, stdin=script).out == "42\n"
    place.stop()
    place.stop()
    assert not place.running() and "database system is shut down" in place.log.read_text()
    assert "Bad checksums:  0" in place.run("pg_checksums", "--check", "-D", str(place.data), within=SOON).out
    assert (place.remove(), place.remove()) == ("", "")
    assert not place.folder.exists()


def test_from_inside_nothing_of_this_machine_is_reached(make: Made) -> None:
    """Tried against a port and a socket file at which somebody listens."""
    place = make("one")
    file = Path(f"/tmp/drdrill-test-{os.getpid()}.sock")
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as other:
        other.bind(str(file))
        other.listen()
        try:
            assert place.reach(f"127.0.0.1:{port.getsockname()[1]}") == "refused"
            assert place.reach(f"localhost:{port.getsockname()[1]}") in ("refused", "refused; Network is unreachable")
            assert place.reach("192.0.2.1:5432") == "Network is unreachable"
            assert place.reach(str(file)) == "No such file or directory"
        finally:
            file.unlink()


def test_a_copy_recovers_and_nothing_of_the_originals_settings_counts(make: Made) -> None:
    """The copy has been told to be a standby of the original, and to archive there."""
    original, copy = make("original"), make("copy")
    original.initialise("--username=owner")
    original.start({})
    with answers(original) as connection:
        connection.execute("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS n")
    original.run("pg_basebackup", "-D", str(original.folder / "backup"), "-c", "fast", within=SOON)
    copy.data.rmdir()
    shutil.copytree(original.folder / "backup", copy.data)
    archive = copy.folder.parent / "archive"
    archive.mkdir(mode=0o777)
    (copy.data / "standby.signal").touch()
    with (copy.data / "postgresql.auto.conf").open("a") as file:
        file.write("primary_conninfo = 'host=original'\nshared_preload_libraries = 'pg_cron,no_such,auto_explain'\n")
        file.write(f"archive_mode = 'always'\narchive_command = 'cp %p {archive}'\n")
    copy.start({}, recovery=True)
    with answers(copy) as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (1000,)
        assert connection.execute("SHOW primary_conninfo").fetchone() == ("",)
        assert connection.execute("SHOW shared_preload_libraries").fetchone() == ("auto_explain",)
        assert connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone() == (2,)
        connection.execute("SELECT pg_switch_wal()")
    assert "archive recovery complete" in copy.log.read_text() and list(archive.iterdir()) == []
    copy.stop()
    copy.start({})
    answers(copy).close()


def test_a_backup_that_lacks_what_it_needs_ends_the_server(make: Made) -> None:
    """It is not waited for: it does not run, and its log says why."""
    place = make("one")
    place.initialise()
    shutil.rmtree(place.data / "pg_wal")
    (place.data / "pg_wal").mkdir()
    place.start({}, recovery=True)
    assert wait.poll(lambda: not place.running(), within=SOON)
    assert "PANIC" in place.log.read_text() or "FATAL" in place.log.read_text()
    place.stop()


def test_where_the_path_is_too_long_for_a_socket_it_lies_elsewhere(make: Made) -> None:
    """A path of 107 bytes is the system's limit. It goes with the place."""
    place = make("x" * 100)
    elsewhere = Path(str(left.read(place.folder).facts["sockets"]))
    assert elsewhere.parent == Path("/tmp") and elsewhere.exists()
    place.initialise()
    place.start({})
    answers(place).close()
    assert place.remove() == "" and not elsewhere.exists()


def test_all_of_it_is_found_by_the_label_of_the_run(make: Made, commands: Commands) -> None:
    """As whatever a killed run has left; it dies with what holds its namespaces."""
    place = make("one")
    place.initialise()
    place.start({})
    answers(place).close()
    assert end_labelled(commands.label) >= 3
    assert wait.poll(lambda: not place.running(), within=SOON)
    with pytest.raises(psycopg.OperationalError):
        place.connect()


KILLED = """
import os, sys, time
from pathlib import Path
from harness.restores.programs.machine import ThisMachine
from harness.system.command import Commands
from harness.system.recorder import Memory
place = ThisMachine(Commands(Memory(), label=sys.argv[3])).place(Path(sys.argv[1]), int(sys.argv[2]))
place.initialise()
place.start({})
print(repr(place.isolation), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("refusing", [False, True], ids=["namespaces", "none"])
@pytest.mark.parametrize("version", here())
def test_a_harness_that_was_killed_leaves_what_a_sweep_ends_and_removes(
    tmp_path: Path, commands: Commands, version: int, refusing: bool
) -> None:
    """Also where the machine allows no namespace, which the place says."""
    before = refusing_argv() if refusing else []
    words = [*before, sys.executable, "-c", KILLED, str(tmp_path / "places" / "one"), str(version), commands.label]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline().strip() == repr("" if refusing else ISOLATION)
        assert left.sweep(tmp_path) == []
        harness.send_signal(signal.SIGKILL)
    mark = next(left.places(tmp_path))
    assert len(mark.processes()) >= 1
    assert left.sweep(tmp_path) == [f"{mark.folder}, left by run {commands.label}: removed"]
    assert mark.processes() == [] and not mark.folder.exists()
