"""The block that `drdrill stop` leaves: written first, kept, seen by every new run, and lifted by `drdrill resume`."""

from __future__ import annotations

import errno
import os
import signal
import threading
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import drdrill, with_reports
from harness.errors import Exit, Refused
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.safety import begin, block, running, stopping
from harness.safety.running import held, unfinished
from harness.stacks.kinds import Kind
from harness.system import control_files as notes
from harness.system.command import LABEL
from tests.made_packs import series


@pytest.fixture(autouse=True)
def no_guardian(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None is started, and what a run tells its heirs is taken back."""
    monkeypatch.setenv(begin.FOLDER, "")
    monkeypatch.setenv(LABEL, "")
    monkeypatch.setenv("DRDRILL_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setattr(begin.Guardian, "start", lambda folder, viewer: None)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "e"
    folder.mkdir()
    return folder


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(drdrill, list(map(str, words)))


def refused(done: Result) -> str:
    assert isinstance(done.exception, Refused) and done.exception.exit is Exit.REFUSED, done.output
    return str(done.exception)


def test_a_stopped_folder_refuses_every_new_run(evidence: Path) -> None:
    """It says who, when and why, and what lifts it; after that a run begins."""
    assert call("stop", "--evidence", evidence, "--as", "Mira", "--why", "a customer is hurt").exit_code == Exit.MET
    with pytest.raises(Refused, match=r"stopped by Mira, 20.*Z: a customer is hurt") as found:
        with_reports.begin(evidence, "r1", project=evidence.parent)
    assert "drdrill resume --evidence" in found.value.hint
    said = refused(call("run", "database-backup-restoration", "--evidence", evidence))
    assert "stopped by Mira" in said and not unfinished(evidence)
    assert "stopped by Mira" in refused(call("prove", "database-backup-restoration", "--evidence", evidence))
    assert list(evidence.iterdir()) == [evidence / block.FILE], "nothing was made, nothing was left"
    assert "they were blocked: stopped by Mira" in call("resume", "--evidence", evidence).output
    folder, lock = with_reports.begin(evidence, "r2", project=evidence.parent)
    os.close(lock)
    assert unfinished(evidence) == [folder]


def test_what_does_not_begin_a_run_is_not_blocked(evidence: Path) -> None:
    """Packs are verified, runs are healed, and a plan is printed: the file is no pack and in nobody's way."""
    series(evidence, length=2)
    call("stop", "--evidence", evidence)
    for words in (["heal"], ["verify", evidence], ["run", "monthly", "--dry-run"]):
        done = call(*words, *(["--evidence", evidence] if words[0] != "verify" else []))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        assert done.exit_code in (Exit.MET, Exit.UNKNOWN), done.output
    assert "the runs follow one another without a gap" in call("verify", evidence).output


def test_the_first_to_stop_stands(evidence: Path) -> None:
    """A second stop says so, and changes nothing."""
    call("stop", "--evidence", evidence, "--as", "Mira", "--why", "first")
    said = call("stop", "--evidence", evidence, "--as", "Noor", "--why", "second").output
    assert "what was said then stands: stopped by Mira" in said
    found = block.blocked(evidence)
    assert found is not None and (found.who, found.why) == ("Mira", "first")


def test_of_many_who_stop_at_once_one_is_first(evidence: Path) -> None:
    """Each is whole; one says that it is his, and his is there."""
    ours: list[str] = []

    def stop(name: str) -> None:
        if block.block(evidence, who=name, why="all at once"):
            ours.append(name)

    threads = [threading.Thread(target=stop, args=(f"n{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = block.blocked(evidence)
    assert found is not None and ours == [found.who]
    assert list(evidence.iterdir()) == [evidence / block.FILE]


def test_a_block_that_cannot_be_read_is_one(evidence: Path) -> None:
    """What somebody has put there by hand, or what a disk has damaged, keeps runs out."""
    (evidence / block.FILE).write_text("{")
    with pytest.raises(Refused, match="stopped by not known"):
        block.must_be_free(evidence)
    assert call("resume", "--evidence", evidence).exit_code == Exit.MET
    block.must_be_free(evidence)


def test_no_run_slips_in_between(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocked after it looked and before its folder could be seen, a run looks again, ends, and leaves nothing."""
    make = begin._make

    def late(folder: Path, project: Path, kind: Kind, *, on: Path | None) -> int:
        block.block(evidence, who="Mira", why="just now")
        return make(folder, project, kind, on=on)

    monkeypatch.setattr(begin, "_make", late)
    with pytest.raises(Refused, match="just now"):
        with_reports.begin(evidence, "r1", project=evidence.parent)
    assert list(evidence.iterdir()) == [evidence / block.FILE]


def test_a_proof_is_blocked_by_the_folder_it_lies_in(evidence: Path) -> None:
    """Its runs are in a folder of their own; nothing else looks at the folder above."""
    block.block(evidence, who="Mira", why="all of it")
    assert block.blocked(evidence / "proof-1") is not None
    assert block.blocked(evidence / "packs") is None
    folder = evidence / "proof-1" / f"r1{UNFINISHED}"
    folder.mkdir(parents=True)
    assert running.under(evidence) == [folder]


def test_where_there_is_no_folder_nothing_is_said_to_be_stopped(tmp_path: Path) -> None:
    """Somebody in the wrong folder must not believe that he has stopped a drill."""
    for command in ("stop", "resume", "watch", "decide"):
        assert "there is no folder" in refused(call(command, "--evidence", tmp_path / "typo"))
    assert not (tmp_path / "typo").exists()


def test_what_runs_is_asked_to_stop_after_the_block_is_written(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same name and reason; a run that had not begun leaves no pack."""
    folder, lock = with_reports.begin(evidence, "r1", project=evidence.parent)
    ask = stopping.ask

    def asked(where: Path, *, who: str, why: str) -> None:
        assert block.blocked(evidence) is not None
        ask(where, who=who, why=why)
        assert stopping.asked(folder) == stopping.StopRequest("Mira", "enough")
        os.close(lock)  # it is dead from here on

    monkeypatch.setattr(stopping, "ask", asked)
    done = call("stop", "--evidence", evidence, "--as", "Mira", "--why", "enough")
    assert done.exit_code == Exit.MET
    assert "run r1: 0 processes ended, no fault was left; nothing had begun, no pack" in done.output
    assert not folder.exists()


def test_a_full_disk_does_not_keep_a_run_from_being_ended(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block cannot be written: what runs is ended all the same, and the exit code is not 0."""
    folder, lock = with_reports.begin(evidence, "r1", project=evidence.parent)
    os.close(lock)

    def full(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")  # of a write: it has no name

    monkeypatch.setattr(block, "block", full)
    says = f"new runs are NOT blocked: {evidence / block.FILE}: No space left on device"
    assert says in refused(call("stop", "--evidence", evidence))
    assert not folder.exists()


@pytest.mark.parametrize("words", [["--why", "a\x1b[2Jb"], ["--as", "x" * 201]])
def test_a_name_or_a_reason_is_printable_and_short(evidence: Path, words: list[str]) -> None:
    """It goes into journals and onto terminals."""
    assert call("stop", "--evidence", evidence, *words).exit_code != Exit.MET
    assert block.blocked(evidence) is None


def test_without_hard_links_the_first_still_stands(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have none; stopping works there, too."""

    def never(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", never)
    assert notes.leave(evidence / "n", {"a": 1}, first=True)
    assert not notes.leave(evidence / "n", {"a": 2}, first=True)
    assert notes.read(evidence / "n") == {"a": 1}
    assert [path.name for path in evidence.iterdir()] == ["n"]


def test_stopping_has_a_limit(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that does not end is named, with what to do; the block stays."""
    folder, lock = with_reports.begin(evidence, "r1", project=evidence.parent)
    for name in ("harness.cli.stop", "harness.safety.heal"):
        module = import_module(name)
        monkeypatch.setattr(module, "STOP_LIMIT", module.STOP_LIMIT * 0)
    try:
        assert "run r1 is alive and does not stop" in refused(call("stop", "--evidence", evidence))
    finally:
        os.close(lock)
    assert block.blocked(evidence) is not None and (folder / CONTROL / stopping.FILE).exists()
    with held(folder) as free:
        assert free


def test_a_forked_child_that_is_ended_is_not_the_run(evidence: Path) -> None:
    """A library forks, and ends its child by a signal: the child ends, and does not go on as a second run."""
    listener = stopping.Listener(evidence)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        listener.begin()
        if (child := os.fork()) == 0:
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                os._exit(0)  # it went on
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGTERM
        assert not listener.stopping
    finally:
        listener.end()
        for number, handler in before.items():
            signal.signal(number, handler)
