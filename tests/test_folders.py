"""Where things lie, and how a command names it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.evidence import keys
from harness.evidence.run_folder import option
from harness.plan import text
from harness.safety import block

ODD = 'it\'s "evidence" of $HOME; rm -r *'


def test_a_printed_command_names_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell reads one word out of it, the folder; the usual one is not named."""
    monkeypatch.chdir(tmp_path)
    assert option(Path("evidence")) == option(tmp_path / "evidence") == ""
    assert shlex.split(f"drdrill heal{option(Path(ODD))}") == ["drdrill", "heal", "--evidence", ODD]


def test_a_block_is_lifted_by_the_command_that_it_prints(tmp_path: Path) -> None:
    """Also where the folder has a space and quotes in its name."""
    folder = tmp_path / ODD
    folder.mkdir()
    block.block(folder, who="Ada", why="enough")
    with pytest.raises(Refused) as caught:
        block.must_be_free(folder)
    command = caught.value.hint.split("`")[1]
    assert shlex.split(command) == ["drdrill", "resume", "--evidence", str(folder)]


def test_the_hints_about_files_are_commands(tmp_path: Path) -> None:
    """A key that others can read; a plan that is a folder."""
    key = tmp_path / f"{ODD}.pem"
    key.write_text("x")
    key.chmod(0o644)
    with pytest.raises(Refused) as caught:
        keys._load(key)
    assert shlex.split(caught.value.hint.partition(": ")[2].rpartition("; otherwise")[0]) == ["chmod", "600", str(key)]
    folder = tmp_path / "the plan's"
    folder.mkdir()
    with pytest.raises(Refused) as caught:
        text.read(folder)
    assert shlex.split(caught.value.hint.removeprefix("look at: ")) == ["ls", "-ld", str(folder)]
