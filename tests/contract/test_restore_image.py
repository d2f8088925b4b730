"""The place of a restore in a container, and tools in containers: the same as by programs of this machine.

By `make test-docker`, on a real engine. The image is made here where it is not there; only root can make it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.restores.programs import left
from harness.restores.programs.image import Image
from harness.stacks.docker import engine
from harness.system.command import Commands, labelled
from harness.system.recorder import Memory
from tests.real.postgres_image import REPOSITORY, postgres_image
from tests.real.test_restore_place import (
    KILLED,
    Made,
    test_a_backup_that_lacks_what_it_needs_ends_the_server,
    test_a_copy_recovers_and_nothing_of_the_originals_settings_counts,
    test_a_server_of_its_own_is_made_asked_and_removed,
    test_from_inside_nothing_of_this_machine_is_reached,
    test_where_the_path_is_too_long_for_a_socket_it_lies_elsewhere,
)

NAME = f"{REPOSITORY}:${{version}}"
IN_IMAGE = KILLED.replace("harness.restores.programs.machine import ThisMachine", f"{Image.__module__} import Image")
IN_IMAGE = IN_IMAGE.replace("ThisMachine(", f"Image({NAME!r}, ")

__all__ = [  # the same tests, on what `make` makes here
    "test_a_backup_that_lacks_what_it_needs_ends_the_server",
    "test_a_copy_recovers_and_nothing_of_the_originals_settings_counts",
    "test_a_server_of_its_own_is_made_asked_and_removed",
    "test_from_inside_nothing_of_this_machine_is_reached",
    "test_where_the_path_is_too_long_for_a_socket_it_lies_elsewhere",
]


@pytest.fixture(scope="module")
def version() -> int:
    """Of the image that is there then."""
    postgres_image(18)
    return 18


@pytest.fixture
def commands() -> Commands:
    """Of a run of this test."""
    return Commands(Memory(), label=f"2026-11-30-image-{os.getpid()}")


@pytest.fixture
def make(version: int, commands: Commands, tmp_path: Path) -> Iterator[Made]:
    """Makes places by the image, and removes them: no container of the run is left."""
    programs, made = Image(NAME, commands), []

    def one(name: str) -> object:
        made.append(programs.place(tmp_path / name, version))
        return made[-1]

    yield one
    assert [place.remove() for place in made] == [""] * len(made)
    assert labelled(commands.label) == [] and not engine.running(commands.label)


def test_a_tool_cannot_write_what_it_reads_and_reaches_nothing(
    version: int, commands: Commands, tmp_path: Path
) -> None:
    """What it writes beside is ours."""
    repository, beside = tmp_path / "repository", tmp_path / "beside"
    for folder in (repository, beside):
        folder.mkdir()
    words = Image(NAME, commands).words("bash", reads=[repository], writes=[beside])
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f'touch "$0/new"; touch "$1/new"; exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}'
        done = commands.run([*words, "-c", script, repository, beside], check=False)
    assert "Read-only file system" in done.err and "Connection refused" in done.err
    assert list(repository.iterdir()) == [] and (beside / "new").stat().st_uid == os.geteuid()


def test_a_harness_that_was_killed_leaves_what_a_sweep_removes(
    version: int, commands: Commands, tmp_path: Path
) -> None:
    """A tool that works in the place is a container of it, too."""
    place = tmp_path / "places" / "one"
    words = [sys.executable, "-c", IN_IMAGE, str(place), str(version), commands.label]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None and "container" in harness.stdout.readline()
        tool = Image(NAME, commands).words("sleep", writes=[place])
        commands.start([*tool, "600"], log=tmp_path / "log", part=False)
        assert left.sweep(tmp_path) == []
        harness.send_signal(signal.SIGKILL)
    assert left.sweep(tmp_path) == [f"{place}, left by run {commands.label}: removed"]
    assert not place.exists() and not engine.running(commands.label)
