"""Programs of an image: the words of its containers, and what is said where there is no engine or no image."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from harness.errors import Unable
from harness.restores.described import Backups
from harness.restores.programs import left, programs
from harness.restores.programs.container import bound
from harness.restores.programs.image import Image
from harness.restores.programs.machine import ThisMachine
from harness.system.command import Commands
from harness.system.recorder import Memory

RUN = "2026-11-30-trial"
# An engine that has two images, of which each has the programs of one version and pgbackrest.
ENGINE = """#!/bin/sh
case "$1 $2" in
"image inspect")
  case "$5" in pg:15|pg:18|own) exit 0 ;; esac
  echo "Error: No such image: $5" >&2; exit 1 ;;
"image ls") printf 'pg:15\\npg:18\\npg:latest\\nother:19\\n' ;;
run*)
  for last in "$@"; do :; done
  case "$last" in barman) exit 3 ;; pgbackrest) echo /usr/bin/pgbackrest ;; *) echo /usr/lib/postgresql/bin ;; esac ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command `docker` that answers so, and the folder of it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(ENGINE)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def image(name: str = "pg:${version}") -> Image:
    return Image(name, Commands(Memory(), label=RUN))


def pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(pairwise(words))


def test_a_tool_runs_in_a_container_that_is_found_by_the_run(engine: Path) -> None:
    """As us, without a network, what it reads mounted read-only at the same path."""
    words = image().words("pg_restore", version=15, reads=[Path("/repo")], writes=[Path("/place")])
    found = pairs(words)
    assert words[:2] == ["docker", "run"] and words[-1] == "pg:15"
    for pair in [
        ("--network", "none"),
        ("--user", f"{os.geteuid()}:{os.getegid()}"),
        ("--label", f"io.drdrill.run={RUN}"),
        ("--mount", "type=bind,source=/repo,target=/repo,readonly"),
        ("--mount", "type=bind,source=/place,target=/place"),
        ("--entrypoint", "/usr/lib/postgresql/bin/pg_restore"),
    ]:
        assert pair in found
    assert ("--network", "host") in pairs(image().words("pgbackrest", network=True))


def test_a_tool_of_a_place_goes_with_it(engine: Path, tmp_path: Path) -> None:
    """What writes into the place carries its key; what only reads does not."""
    place = tmp_path / "place"
    (place / "data").mkdir(parents=True)
    mark = left.Mark.new(place, run=RUN)
    label = ("--label", f"{left.LABEL}={mark.key}")
    assert label in pairs(image().words("pgbackrest", writes=[place / "data"]))
    assert label not in pairs(image().words("pgbackrest", reads=[place / "data"]))


def test_a_tool_of_no_version_is_of_the_newest_image_that_is_here(engine: Path) -> None:
    """The catalogue is read before a version is known."""
    assert image().words("pgbackrest")[-1] == "pg:18"
    assert image("own").words("pgbackrest")[-1] == "own"
    with pytest.raises(Unable, match=r"no image gone:\$\{version\} here, of any version"):
        image("gone:${version}").words("pgbackrest")


def test_an_image_or_a_program_that_is_not_there_is_named(engine: Path, tmp_path: Path) -> None:
    """Before a place is made; nothing is pulled."""
    with pytest.raises(Unable, match="there is no image pg:16 here") as told:
        image().place(tmp_path / "place", 16)
    assert told.value.hint.startswith("docker pull pg:16")
    with pytest.raises(Unable, match="the image pg:18 has no barman"):
        image().words("barman")
    assert not (tmp_path / "place").exists()


def test_an_engine_that_does_not_answer_is_no_missing_image(engine: Path) -> None:
    """Its own words are told."""
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    (engine / "docker").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    with pytest.raises(Unable, match="the Docker engine does not answer: Cannot connect"):
        image().words("pgbackrest", version=18)


def test_no_docker_at_all_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unable, match="there is no docker on this machine") as told:
        image().words("pgbackrest")
    assert "leave `image` out" in told.value.hint


def test_a_path_with_a_comma_is_mounted_as_it_is() -> None:
    """The words of a mount are a line of CSV."""
    assert bound(Path("/a,b"))[1] == 'type=bind,"source=/a,b","target=/a,b"'


def test_the_stack_file_says_where_programs_come_from(engine: Path) -> None:
    """An image where it names one."""
    commands = Commands(Memory(), label=RUN)

    def of(name: str) -> Backups:
        return Backups({}, at_once=1, within=None, room=None, folder=None, image=name, keep="never")

    assert programs(of("pg:${version}"), commands).said == "the image pg:${version}"
    assert isinstance(programs(of(""), commands), ThisMachine)
