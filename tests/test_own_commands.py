"""Backups by commands of the owner: what `list` has to print, and what is done with what `fetch` and `wal` bring."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.restores import Kept, Point
from harness.restores.described import Backup
from harness.restores.sources.own import OwnCommands
from harness.system.command import CommandFailed, Commands
from harness.system.recorder import Memory

ONE = {"id": "b1", "ended": "2026-11-30T10:00:00+01:00", "version": 18, "form": "files", "size": 1000}


@dataclass
class Empty:
    """A place in which nothing is run."""

    folder: Path
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)


def python(code: str, *more: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys, pathlib\n{code}", *more)


def source(commands: dict[str, tuple[str, ...]]) -> OwnCommands:
    made = Commands(Memory(), label="test-own")
    backup = Backup("orders", "commands", commands=commands)
    return OwnCommands(backup, programs=None, commands=made, values={"secret:KEY": "a secret"})


def printing(said: Any) -> OwnCommands:
    text = said if isinstance(said, str) else json.dumps(said)
    return source({"list": python("print(sys.argv[1])", text)})


def bring(commands: dict[str, tuple[str, ...]], kept: Kept, place: Empty, **point: str) -> Any:
    return source(commands).bring(kept, place, point=Point(**point), within=timedelta(seconds=20))


def kept(**changed: Any) -> Kept:
    return printing([{**ONE, **changed}]).catalogue()[0]


def test_a_list_is_read() -> None:
    """The oldest first; what is not said is left out."""
    more = {
        "id": "full/a:2", "ended": "2026-11-29T10:00:00+00:00", "began": "2026-11-29T09:00:00+00:00", "stored": 10,
        "digest": "AB" * 32, "system": "7", "database": "shop", "kind": "incremental", "form": "dump",
    }  # fmt: skip  # in groups
    found = printing([ONE, {**ONE, **more}]).catalogue()
    assert [each.id for each in found] == ["full/a:2", "b1"]
    assert found[0].digest == "ab" * 32
    assert (found[0].began, found[0].stored) == (datetime(2026, 11, 29, 9, tzinfo=UTC), 10)
    assert (found[1].ended, found[1].stored) == (datetime(2026, 11, 30, 9, tzinfo=UTC), 1000)
    assert printing([]).catalogue() == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("no json", "does not print JSON"),
        ({"id": "x"}, "prints no list, but a dict"),
        (["x"], "backup 1: is no object, but a str"),
        ([ONE, {**ONE, "name": "x"}], "backup 2: name is not known"),
        ([{key: ONE[key] for key in ONE if key != "ended"}], "backup 1: ended is missing"),
        ([{**ONE, "version": "18"}], "version is no whole number"),
        ([{**ONE, "size": True}], "size is no whole number"),
        ([{**ONE, "size": -1}], "size is less than 0"),
        ([{**ONE, "ended": "2026-11-30 10:00"}], 'ended is "2026-11-30 10:00", without its zone'),
        ([{**ONE, "ended": "today"}], "no time in ISO 8601"),
        ([{**ONE, "ended": None}], "ended is no text"),
        ([{**ONE, "form": "tape"}], 'form is "tape", and neither files nor dump'),
        ([{**ONE, "id": "-rf"}], 'the id "-rf" has other than'),
        ([{**ONE, "id": "a; b"}], 'the id "a; b" has other than'),
        ([{**ONE, "id": "a/../b"}], r'the id "a/\.\./b"'),
        ([{**ONE, "digest": "abc"}], "digest is no SHA-256"),
        ([ONE, ONE], "two backups are called b1"),
    ],
)  # fmt: skip  # one a line
def test_what_is_wrong_with_a_list_is_said(said: Any, problem: str) -> None:
    """And what it should be: nothing is known of the backups then."""
    with pytest.raises(NotReady, match=problem) as caught:
        printing(said).catalogue()
    assert "the command `list` of orders" in caught.value.message
    assert caught.value.hint


def test_a_list_that_fails_is_no_empty_one() -> None:
    """With the command's own last word."""
    with pytest.raises(NotReady, match=r"the command `list` of orders: .* exited 1: no such vault"):
        source({"list": python("sys.exit('no such vault')")}).catalogue()


def test_secrets_are_filled_in() -> None:
    """As in every command of a stack file."""
    made = source({"list": python("print('[]' if sys.argv[1] == 'a secret' else '')", "${secret:KEY}")})
    assert made.catalogue() == []


def test_an_inventory_is_its_lines() -> None:
    """Without the command nobody can say that the repository stayed as it was."""
    found = source({"inventory": python("print('a 1 2026\\n\\nb 2 2026')")}).inventory()
    assert set(found) == {"a 1 2026", "b 2 2026"}
    with pytest.raises(Unable, match="orders has no command `inventory`"):
        source({}).inventory()


FETCH = python(
    "into = pathlib.Path(sys.argv[1]); (into / 'PG_VERSION').write_text('18\\n'); (into / 'x').write_text(sys.argv[2])",
    "${into}", "${id}",
)  # fmt: skip  # in groups
WAL = python("(pathlib.Path(sys.argv[1]) / sys.argv[2]).write_text('x')", "${into}")


def test_files_are_brought(tmp_path: Path) -> None:
    """Into the data directory, and the archive into a folder of the place."""
    place = Empty(tmp_path)
    end = "000000010000000000000003"
    found = bring({"fetch": FETCH, "wal": (*WAL, end)}, kept(), place)
    assert (place.data / "x").read_text() == "b1"
    assert (found.wal, found.archive_end) == (tmp_path / "wal", end)
    assert [(part.name, part.bytes) for part in found.parts] == [("fetch", 6)]
    alone = bring({"fetch": FETCH}, kept(), Empty(tmp_path / "other"))
    assert (alone.wal, alone.archive_end) == (None, "")


@pytest.mark.parametrize(
    ("commands", "changed", "problem"),
    [
        ({"fetch": python("")}, {}, "brought no data directory: there is no PG_VERSION"),
        ({"fetch": FETCH}, {"version": 15}, "b1 is of PostgreSQL 18, and was listed as 15"),
        ({"fetch": FETCH, "wal": (*WAL, "README")}, {}, "brought no piece of the archive"),
        ({"fetch": python("sys.exit('it is gone')")}, {}, "exited 1: it is gone"),
        ({"fetch": python("")}, {"form": "dump"}, "brought 0 dumps"),
        ({"fetch": (*FETCH,)}, {"form": "dump"}, "brought 2 dumps"),
    ],
)
def test_what_was_not_brought_is_said(
    commands: dict[str, tuple[str, ...]], changed: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    """Though the command may have ended well."""
    with pytest.raises(DrillError, match=problem):
        bring(commands, kept(**changed), Empty(tmp_path))


def test_a_dump_is_held_against_the_list(tmp_path: Path) -> None:
    """And has no point in time."""
    one = python("(pathlib.Path(sys.argv[1]) / 'a.dump').write_text('x')", "${into}")
    with pytest.raises(DrillError, match="b1 has the SHA-256 2d711642b726b04401627ca9fbac32f5"):
        bring({"fetch": one}, kept(form="dump", digest="0" * 64), Empty(tmp_path))
    assert not (tmp_path / "dump").exists()
    with pytest.raises(Refused, match="a dump is of one moment"):
        bring({"fetch": one}, kept(form="dump"), Empty(tmp_path / "other"), name="before")


def test_it_has_no_longer_than_it_has(tmp_path: Path) -> None:
    """A command that hangs ends."""
    slow = source({"fetch": python("import time; time.sleep(60)")})
    with pytest.raises(CommandFailed, match=r"not done within 0\.[12]"):
        slow.bring(kept(), Empty(tmp_path), point=Point(), within=timedelta(seconds=0.2))
