"""How a run takes its folder: alone, locked from the first instant on, and free again when it is dead."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from harness.cli import with_reports
from harness.cli.with_reports import heal_run
from harness.errors import Refused
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.safety import begin, stopping
from harness.safety.running import held, unfinished
from harness.stacks.kinds import USUAL
from harness.system.command import LABEL


@pytest.fixture(autouse=True)
def no_guardian(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None is started, and what a run tells its heirs is taken back."""
    monkeypatch.setenv(begin.FOLDER, "")
    monkeypatch.setenv(LABEL, "")
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setattr(begin.Guardian, "start", lambda folder, viewer: None)
    monkeypatch.setattr(begin, "MOMENT", timedelta(seconds=0.2))  # no guardian looks here, who would hold the lock


def killed(action: Callable[[], object]) -> None:
    """Do it in a process that is killed at its end, or as soon as it fails."""
    if (pid := os.fork()) == 0:
        try:
            action()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_second_run_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    """It says which is alive; the first keeps its folder."""
    folder, lock = with_reports.begin(tmp_path / "e", "r1", project=tmp_path)
    try:
        with pytest.raises(Refused, match="run r1 is alive"):
            with_reports.begin(tmp_path / "e", "r2", project=tmp_path)
        assert unfinished(tmp_path / "e") == [folder]
    finally:
        os.close(lock)


def test_a_killed_run_lets_go_of_its_folder(tmp_path: Path) -> None:
    """The kernel releases the lock: the next run heals what is left, here nothing, and begins."""
    killed(lambda: with_reports.begin(tmp_path / "e", "r1", project=tmp_path))
    assert [path.name for path in unfinished(tmp_path / "e")] == [f"r1{UNFINISHED}"]
    folder, lock = with_reports.begin(tmp_path / "e", "r2", project=tmp_path)
    os.close(lock)
    assert unfinished(tmp_path / "e") == [folder]


def test_a_folder_that_can_be_seen_is_locked_and_can_be_asked_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heal meets no folder that it would take for dead, nor one that does not hear it: then it would wait minutes."""
    seen = []

    def look(handle: int, operation: int) -> None:
        seen.append(unfinished(tmp_path / "e"))
        lock(handle, operation)

    lock = begin.fcntl.flock
    monkeypatch.setattr(begin.fcntl, "flock", look)
    folder, handle = with_reports.begin(tmp_path / "e", "r1", project=tmp_path)
    assert seen and not any(seen)
    with held(folder) as free:
        assert not free
    stopping.ask(folder, who="drdrill heal", why="heal was asked for")
    assert stopping.asked(folder) == stopping.StopRequest("drdrill heal", "heal was asked for")
    os.close(handle)
    assert heal_run(folder, by="drdrill heal").pack is None and not folder.exists()


def test_what_was_killed_before_it_had_its_name_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is a run, and the next run leaves nothing of it."""
    with monkeypatch.context() as patched:
        patched.setattr(begin.fcntl, "flock", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        killed(lambda: begin._make(tmp_path / "e" / f"r1{UNFINISHED}", tmp_path, USUAL))
    assert [path.name for path in (tmp_path / "e").iterdir()] == ["r1.beginning"]
    folder, lock = with_reports.begin(tmp_path / "e", "r2", project=tmp_path)
    os.close(lock)
    assert list((tmp_path / "e").iterdir()) == [folder] and (folder / CONTROL).is_dir()
