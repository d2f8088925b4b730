"""A dump is a program: whatever it does, nothing outside of its place is written, and no other server is reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import DrillError, Refused
from harness.restores.programs.machine import ThisMachine
from harness.restores.programs.place import OwnPlace
from harness.restores.sources.load import Time, load, read_dump
from harness.system.command import Commands
from harness.system.recorder import Memory
from tests import dumps
from tests.real.restored import VERSIONS, answers

SOON = timedelta(seconds=60)
COMMANDS = Commands(Memory(), label=f"test-attacks-{os.getpid()}")


@pytest.fixture(params=VERSIONS[:1])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnPlace]:
    """With an empty cluster that runs; everybody may enter and write the folder that is beside it."""
    made = ThisMachine(COMMANDS).place(tmp_path / "place", request.param)
    try:
        made.initialise()
        made.start({"fsync": "off"})
        answers(made)
        yield made
    finally:
        assert made.remove() == ""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder that everybody may write."""
    folder = tmp_path / "repository"
    folder.mkdir()
    folder.chmod(0o777)
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(above.stat().st_mode | 0o111)
    return folder


def loaded(place: OwnPlace, *lines: str) -> list[str]:
    folder = place.folder / "dump"
    folder.mkdir(exist_ok=True)
    (folder / "a.sql").write_bytes(dumps.script(*lines))
    time = Time(SOON)
    dump = read_dump(folder / "a.sql", COMMANDS, time)
    return load(dump, place, name="shop", roles=None, recorder=COMMANDS.recorder, time=time)


@pytest.mark.parametrize("sql", ["COPY (SELECT 1) TO PROGRAM 'cat >{}/x'", "COPY (SELECT 1) TO '{}/x'"])
def test_a_statement_writes_nothing_outside(place: OwnPlace, target: Path, sql: str) -> None:
    """Neither by a program nor by the server; it is an error that is told."""
    with pytest.raises(DrillError, match="ERROR"):
        loaded(place, f"{sql.format(target)};")
    assert list(target.iterdir()) == []


def test_an_order_in_the_midst_of_a_line_does_nothing_outside(place: OwnPlace, target: Path) -> None:
    """In a script that connects, psql is not told to refuse it: what it runs is inside, as the server's account."""
    lines = (
        "CREATE DATABASE shop;",
        "\\connect shop",
        f"SELECT 1 \\! touch {target}/x /etc/drdrill /var/tmp/drdrill",
        ";",
    )
    loaded(place, *lines)
    assert list(target.iterdir()) == [] and not Path("/var/tmp/drdrill").exists()


def test_a_script_connects_to_no_other_server(place: OwnPlace) -> None:
    """It is not loaded."""
    with pytest.raises(Refused, match="connect"):
        loaded(place, "\\connect postgres postgres /var/run/postgresql 5432", "CREATE TABLE x ();")
