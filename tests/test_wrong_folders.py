"""A folder that is not there, not sealed, not readable or too small is told in one line, with what to do."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness import __main__ as program
from harness.cli import drdrill
from harness.errors import Exit, Refused
from harness.schedule import runs
from tests.made_packs import series
from tests.this_project import PROJECT

Usage = namedtuple("Usage", "free")


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(drdrill, list(map(str, words)))


def refused(done: Result) -> str:
    assert isinstance(done.exception, Refused) and done.exception.exit is Exit.REFUSED, done.output
    return str(done.exception)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a run that was killed, with a journal of many lines."""
    folder = tmp_path / "e" / "r9.unfinished"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("{}\n" * 500)
    return folder


def test_a_run_that_is_not_sealed_is_told_in_one_line(killed: Path) -> None:
    """The verifier does not list what a journal that goes on lacks; the code is that of the folder around it."""
    done = call("verify", killed)
    assert done.exit_code == call("verify", killed.parent).exit_code == Exit.UNKNOWN
    assert len(done.output.splitlines()) == 1
    assert "not sealed: its run goes on or was killed" in done.output and "drdrill heal" in done.output
    assert '"outcome": "UNKNOWN"' in call("verify", killed, "--json").output


def test_reports_of_a_run_that_is_not_sealed_lead_to_heal(killed: Path, tmp_path: Path) -> None:
    """Neither command reads it, and each says what seals it."""
    for words in (("report", killed), ("compare", killed, series(tmp_path / "packs", length=1)[0])):
        assert f"`drdrill heal --evidence {killed.parent}` seals it" in refused(call(*words))


def test_watch_leads_to_heal_where_a_run_was_killed(killed: Path) -> None:
    """Nothing runs, and what is left of the run that was killed is named."""
    done = call("watch", "--evidence", killed.parent)
    assert done.exit_code == Exit.UNKNOWN
    assert f"run r9 was killed and is not sealed: `drdrill heal --evidence {killed.parent}`" in done.output


@pytest.mark.parametrize("rubbish", [b"garbage\n", b"\xff\xfe\n", b"{}\n"])
@pytest.mark.parametrize("command", ["heal", "stop"])
def test_a_damaged_journal_stands_in_nobodys_way(killed: Path, command: str, rubbish: bytes) -> None:
    """What it left is removed, it is kept under another name and told of; the next folder is healed as well."""
    (killed / "journal.jsonl").write_bytes(rubbish)
    (killed / "undo").mkdir()
    (killed / "undo" / "000-lose_volumes.json").write_bytes(b"{")
    after = killed.with_name("r99.unfinished")
    after.mkdir()
    done = call(command, "--evidence", killed.parent)
    assert done.exit_code == (Exit.UNKNOWN if command == "heal" else Exit.MET), done.output
    assert "run r9: 0 processes ended, faults healed: lose_volumes; no pack: " in done.output
    assert (killed.parent / "r9.damaged" / "journal.jsonl").read_bytes() == rubbish
    assert not killed.exists() and not after.exists()
    assert call("verify", killed.parent).exit_code != Exit.MET


def test_the_journal_of_a_newer_drdrill_is_not_called_damaged(killed: Path) -> None:
    """It stays as it is for the one that can heal it."""
    (killed / "journal.jsonl").write_text('{"v":3}\n')
    assert "use a newer drdrill" in refused(call("heal", "--evidence", killed.parent))
    assert killed.exists()


@pytest.mark.parametrize("command", ["calendar", "history", "gate", "heal"])
def test_a_folder_that_was_named_has_to_be_there(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen is no folder without runs; the usual folder may come later."""
    assert "there is no folder" in refused(call(command, "--evidence", tmp_path / "evidnce"))
    monkeypatch.chdir(tmp_path)
    about = ("--project", PROJECT.folder)
    assert not isinstance(call(*about, command).exception, Refused)


def test_a_folder_that_may_not_be_looked_into_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be known whether there are runs, nothing is said about them."""

    def denied(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", denied)
    with pytest.raises(Refused, match="Permission denied"):
        runs.read(tmp_path / "closed" / "evidence")


def test_no_stack_is_brought_up_where_it_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The room is looked at before anything is made; a place that cannot be written is told as such."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0))
    assert "0.0 GB free, a stack wants 3 GB" in refused(call("stack", "up", "--evidence", tmp_path / "e"))
    assert list((tmp_path / "e").iterdir()) == []
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    said = refused(call("stack", "up", "--evidence", tmp_path / "e"))
    assert "nothing can be written in it" in said and "--evidence FOLDER" in said


def test_wrong_usage_leads_to_the_help_of_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where an option lacks its value."""
    monkeypatch.setattr(sys, "argv", ["drdrill", "run", "x", "--only"])
    with pytest.raises(SystemExit) as left:
        program.main()
    assert left.value.code == Exit.REFUSED and "`drdrill run --help`" in capsys.readouterr().err
