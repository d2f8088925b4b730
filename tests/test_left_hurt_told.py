"""A platform that a run has left hurt: whoever asks is told, with its folder and what helps, and never what hurts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import drdrill, screen
from harness.evidence.run_folder import UNHEALED
from harness.stacks.attached import place
from harness.stacks.attached.checking import check, database_asked, parts_asked
from harness.stacks.attached.file.read import load
from harness.system import control_files
from tests.stack_files import written

SEEN = "left fenced: db-2 leads; make db-1 a copy of db-2 by hand"


@pytest.fixture(autouse=True)
def no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def left_hurt(file: Path, run: str = "20260101T000000-abcd") -> Path:
    """The folder of the platform, in which a run has left a fault; what was seen is said there."""
    folder = place.folder_of(load(file))
    (folder / UNHEALED).mkdir(parents=True)
    control_files.leave(folder / UNHEALED / f"{run}-000-kill_component.json", {"fault": "kill_component", "seen": SEEN})
    return folder


def test_a_check_says_first_that_it_was_left_hurt(tmp_path: Path) -> None:
    """With what was seen, and the command."""
    file = written(tmp_path)
    folder = left_hurt(file)
    (line,) = check._left_hurt(load(file))
    assert line.ok is False and line.seen == f"a run has left it hurt: kill_component: {SEEN}"
    assert line.hint == f"settle that, then drdrill heal --on {folder}"


WHO: list[tuple[dict[str, bool | None], str]] = [
    ({"db-1": None, "db-2": True}, "db-2 leads: first make db-1 a copy of it, and only then start it, or two lead"),
    ({"db-1": None, "db-2": False}, "nobody is seen to lead: first see by hand who led last"),
    ({"db-1": None, "db-2": None}, "nobody is seen to lead, and db-2 did not answer: first see by hand who led last"),
    ({"db-1": True, "db-2": True}, "db-1 and db-2 lead: first settle which of them does"),
]


def platform(file: Path, who: dict[str, bool | None]) -> Any:
    """Of which db-1 does not run."""
    found = SimpleNamespace(name="desk-db-1", id="0123456789abcdef", status="exited")
    return SimpleNamespace(
        said=load(file), database=SimpleNamespace(who=lambda: who), running=lambda one: one.name != "db-1",
        boxes={name: SimpleNamespace(look=lambda: found) for name in ("db-1", "api-a")}, must_know=lambda *_: None,
    )  # fmt: skip  # arguments in groups


@pytest.mark.parametrize(("who", "said"), WHO)
def test_nobody_is_told_to_start_a_database_server(tmp_path: Path, who: dict[str, bool | None], said: str) -> None:
    """While another leads, or nobody knows: then two would lead. What is no database server may be started."""
    asked = platform(written(tmp_path), who)
    for line in (
        *parts_asked._there(asked, asked.said.components["db-1"]),
        *database_asked._member(asked, asked.database, "db-1"),
    ):
        assert line.ok is False and line.hint.startswith(said) and "docker start" not in line.hint
    (other,) = parts_asked._there(asked, asked.said.components["api-a"])
    assert other.hint == "docker start desk-db-1, or whatever its owner does"


def test_one_that_returns_as_a_copy_is_its_owners_to_start(tmp_path: Path) -> None:
    """The file says that it is safe."""
    asked = platform(written(tmp_path, (("database", "returns"), "as a copy")), WHO[0][0])
    assert "it returns as a copy" in database_asked.way_back(asked, "db-1")


def test_what_does_not_run_is_not_called_unknown(tmp_path: Path) -> None:
    """A drill has killed it: its address is nobody's riddle."""
    asked = platform(written(tmp_path), WHO[0][0])
    (line,) = database_asked._member(asked, asked.database, "db-1")
    assert line.seen == "it does not run"


def test_the_status_lists_it_with_its_folder(tmp_path: Path) -> None:
    """Whichever folder of evidence it is asked about; exit code 2."""
    folder = left_hurt(written(tmp_path))
    words = ["stack", "status", "--evidence", str(tmp_path / "evidence")]
    ended = CliRunner().invoke(drdrill, words)
    assert ended.exit_code == 2 and "no stack is up" not in ended.output
    assert f"the platform {folder.name} is left hurt: kill_component: {SEEN}" in ended.output
    assert f"settle that, then drdrill heal --on {folder}" in ended.output
    (said,) = json.loads(CliRunner().invoke(drdrill, [*words, "--json"]).output)
    assert (said["state"], said["folder"], said["heal"]) == ("hurt", str(folder), f"drdrill heal --on {folder}")


def test_the_status_of_nothing_is_as_before(tmp_path: Path) -> None:
    """Nobody was drilled, and nothing is up."""
    ended = CliRunner().invoke(drdrill, ["stack", "status", "--evidence", str(tmp_path / "evidence")])
    assert ended.exit_code == 0 and "no stack is up" in ended.output


def test_a_run_names_the_folder_that_it_left_hurt(tmp_path: Path) -> None:
    """Its pack does not; one that left nothing, or elsewhere, has no folder here."""
    folder = left_hurt(written(tmp_path), run="20260101T000000-abcd")
    assert screen._place_of(tmp_path / "evidence" / "20260101T000000-abcd") == folder
    assert screen._place_of(tmp_path / "evidence" / "20260101T000000-ef01") is None
