"""`drdrill stack check` asks about backups before one is restored: each answer is yes, no, or that nobody can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import DrillError, NotReady, Unable
from harness.restores import Needs
from harness.restores.described import Backup
from harness.restores.earlier import Earlier
from harness.stacks.attached.checking import backups_asked
from harness.stacks.attached.checking.at_once import all_at_once
from harness.stacks.attached.checking.backups_asked import COLLATIONS, EXTENSIONS
from harness.stacks.attached.checking.check import check
from harness.stacks.attached.checking.line import Line
from harness.stacks.attached.file.read import load
from tests.restored_beside import ORIGINAL, FakePlace, FakePrograms, FakeSource, Told, backup, backups, kept

SOUND = backup(system="71", original=(ORIGINAL,))


class Asking:
    """One database's backups; `there`: what an empty place has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.told = Told()
        self.source = FakeSource(self.told, kept("b1"), kept("b2", days=1))
        self.source.needed = Needs((), (), (), (), {})
        self.programs = FakePrograms(self.told)
        self.folder = folder / "check" / "places"
        self.there: dict[str, Sequence[Sequence[object]]] = {
            EXTENSIONS: [("plpgsql",), ("pgcrypto",)], COLLATIONS: [("C",), ("de-x-icu",)],
        }  # fmt: skip  # a table
        self.earlier: Earlier | None = None
        self.told.meanwhile["start"] = lambda: self.programs.places[-1].answers.update(self.there)
        monkeypatch.setattr(backups_asked, "programs", lambda said, commands: self.programs)
        monkeypatch.setattr(backups_asked, "source", lambda backup, **_: self.source)

    def lines(self, one: Backup = SOUND, **more: Any) -> dict[str, Line]:
        """By what each is about, without the name of the database; nothing of a place may be left."""
        said = dataclasses.replace(backups(**more), databases={"orders": one})
        asked = backups_asked.questions(
            said, values={}, folder=self.folder, label="check", earlier=lambda name: self.earlier
        )
        found = all_at_once(asked)
        assert {line.part for line in found} == {"backups"}
        assert not [place for place in self.programs.places if place.folder.exists()]
        return {line.what.removeprefix("orders: "): line for line in found}


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asking:
    return Asking(monkeypatch, tmp_path)


def test_backups_that_can_be_restored_are_all_yes(asking: Asking) -> None:
    """In the order in which an answer makes the next one possible, and nothing is restored."""
    found = asking.lines()
    assert [what for what, line in found.items() if line.ok is not True] == []
    assert list(found) == [
        "its tool is there", "it is only read", "backups are there", "it is of its own system", "there is room",
        "an empty place can be made", "it has no way out", f"it does not reach {ORIGINAL}",
        "extensions", "collations", "roles",
    ]  # fmt: skip  # a table
    assert found["its tool is there"].seen == "pgBackRest 2.45, by this machine"
    assert found["backups are there"].seen.startswith("2, the newest b2, ")
    assert not any(line.hint for line in found.values())
    assert "bring" not in asking.told and [*asking.told][-1] == "remove"


def test_nothing_is_asked_where_there_are_none() -> None:
    """A platform without backups has no line about them."""
    assert not list(backups_asked.questions(None, values={}, folder=Path("/x"), label="", earlier=lambda name: None))


def test_a_repository_that_could_be_written_is_told(asking: Asking) -> None:
    """That drdrill does not is a word, and no proof: it has no line of its own."""
    asking.source.read_only = ""
    found = asking.lines()
    assert "it is only read" not in found and "nothing keeps drdrill from writing" in found["its tool is there"].seen


def test_an_empty_catalogue_ends_the_questions(asking: Asking) -> None:
    """There is nothing that could be restored."""
    asking.source.has = []
    found = asking.lines()
    assert list(found)[-1] == "backups are there" and found["backups are there"].ok is False
    assert found["backups are there"].seen == "the catalogue is empty" and found["backups are there"].hint


@pytest.mark.parametrize(
    ("error", "ok"), [(NotReady("no answer", hint="h"), None), (Unable("no tool", hint="h"), None),
                      (DrillError("broken", hint="h"), False)],
)  # fmt: skip  # a table
def test_what_cannot_be_asked_is_open(asking: Asking, error: DrillError, ok: bool | None) -> None:
    """In the words of whoever was asked; what is broken is wrong."""
    asking.told.fails["catalogue"] = error
    (line,) = asking.lines().values()
    assert (line.what, line.ok, line.seen, line.hint) == ("orders", ok, error.message, "h")


def test_one_without_a_time_of_its_own_is_told(asking: Asking) -> None:
    """Nobody knows whether it is the newest, and a run could not judge it."""
    asking.source.has = [dataclasses.replace(kept("shop.sql"), ended=None), kept("b1")]
    line = asking.lines()["each says when it was made"]
    assert (line.ok, line.seen) == (None, "no: shop.sql of 2 do not") and "pg_dump --verbose" in line.hint


def test_what_the_catalogue_has_against_the_newest_is_wrong(asking: Asking) -> None:
    """It is the one that a disaster would need."""
    asking.source.has = [kept("b1"), kept("b2", days=1, sound="it ended with an error")]
    line = asking.lines()["backups are there"]
    assert line.ok is False and "the catalogue has against it: it ended with an error" in line.seen


def test_whose_it_is_is_yes_no_or_open(asking: Asking) -> None:
    """Where nobody says of which system it must be, the line says what to write; a dump has none."""
    assert asking.lines(dataclasses.replace(SOUND, system="72"))["it is of its own system"].ok is False
    line = asking.lines(dataclasses.replace(SOUND, system=""))["it is of its own system"]
    assert line.ok is None and 'write system: "71"' in line.hint
    asking.source.has = [kept("d1", form="dump", system="", database="shop")]
    found = asking.lines()
    assert "it is of its own system" not in found and "database shop" in found["backups are there"].seen


def test_room_is_twice_the_size_of_what_may_be_used(asking: Asking) -> None:
    """Of what is free, or of what the stack file lets."""
    asking.source.has = [kept(size=500_000_000)]
    line = asking.lines(room=900_000_000)["there is room"]
    assert line.ok is False and line.seen.startswith("900 MB may be used") and "backups: folder" in line.hint
    assert asking.lines(room=1_100_000_000)["there is room"].ok


def test_time_is_what_the_last_one_took_by_its_size(asking: Asking) -> None:
    """Of a database that has doubled, twice as long; before the first nobody knows."""
    asking.earlier = Earlier(40 * 60, 2_500)
    line = asking.lines(within=timedelta(hours=1))["there is time"]
    assert line.ok is False and line.seen.startswith("40 min the last time") and line.hint
    assert asking.lines(within=timedelta(hours=2))["there is time"].ok
    asking.earlier = None
    found = asking.lines()
    assert "there is time" not in found and "not known before the first time" in found["there is room"].seen


def test_a_way_out_of_the_place_is_wrong(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """None that is kept from everything; and an original that says no was reached."""
    monkeypatch.setattr(FakePlace, "isolation", "")
    assert asking.lines()["it has no way out"].ok is False
    for became, ok in (("taken", False), ("refused", False), ("Network is unreachable", True), ("timed out", None)):
        monkeypatch.setattr(FakePlace, "reach", lambda place, address, became=became: became)
        line = asking.lines()[f"it does not reach {ORIGINAL}"]
        assert (line.ok, line.seen) == (ok, became)
    assert (
        "no address of the original" in asking.lines(dataclasses.replace(SOUND, original=()))["it has no way out"].seen
    )


def test_what_the_backup_takes_is_looked_for_in_the_place(asking: Asking) -> None:
    """Extensions and collations by what it has, roles by what the stack file makes for it."""
    asking.source.needed = Needs(["postgis"], ["app", "auditor"], ["fr-x-icu"], ["fast"], {"max_connections": "300"})
    found = asking.lines(dataclasses.replace(SOUND, roles_elsewhere=("app",), extensions=("timescaledb",)))
    assert found["extensions"].ok is False and found["extensions"].seen == "not there: postgis, timescaledb"
    assert found["collations"].ok is False and found["collations"].seen == "not there: fr-x-icu"
    assert found["roles"].ok is False and found["roles"].seen == "named by it, and not brought: auditor"
    assert found["tablespaces"].seen == "fast: each inside of the place"
    assert found["settings"].seen == "taken from it: max_connections=300"


def test_what_is_not_known_before_is_said(asking: Asking) -> None:
    """Of files nobody can tell which extensions they take; what the stack file names is looked for all the same."""
    asking.source.needed = Needs()
    found = asking.lines()
    assert "extensions" not in found and "which extensions" in found["an empty place can be made"].seen
    assert asking.lines(dataclasses.replace(SOUND, extensions=("postgis",)))["extensions"].ok is False


def test_a_place_that_will_not_go_is_told(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is somebody's to remove."""
    remove = FakePlace.remove

    def stays(place: FakePlace) -> str:
        return remove(place) or "processes 7 will not end"

    monkeypatch.setattr(FakePlace, "remove", stays)
    (line,) = asking.lines().values()
    assert (line.ok, line.seen) == (False, "processes 7 will not end") and "by hand" in line.hint


def test_databases_are_asked_at_once_and_apart(asking: Asking) -> None:
    """Each with its name."""
    asked = backups_asked.questions(
        backups("orders", "users"), values={}, folder=asking.folder, label="check", earlier=lambda name: None
    )
    named = {line.what.partition(":")[0] for line in all_at_once(asked)}
    assert named == {"orders", "users"} and [*asking.told].count("place") == 2


def test_a_file_with_nothing_but_backups_wants_no_client(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes there, so nobody is asked how."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    said = {
        "format": "1", "platform": {"name": "Shop", "owner": "us", "environment": "staging"},
        "backups": {"databases": {"orders": {"tool": "pg_basebackup", "repository": "/srv/x", "system": "71"}}},
    }  # fmt: skip  # a table
    (tmp_path / "stack.yaml").write_text(yaml.safe_dump(said))
    asked: list[str] = []

    def then(platform: object) -> list[Line]:
        raise AssertionError("nobody is there to be asked")

    found = check(load(tmp_path / "stack.yaml"), then=then, before=asked.append)
    assert {line.part for line in found} == {"backups"} and asked == ["orders"]
    assert all(line.ok for line in found)
