"""`drdrill watch`: a run that somebody else shows, from its first line to its verdict, left alone whatever happens."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import drdrill
from harness.cli.live import Live
from harness.cli.screen import Screen
from harness.errors import Exit, NotReady
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.safety import stopping
from harness.safety.running import held
from harness.system import clock
from tests import sample_pack
from tests.sample_pack import RUN, Plot

PACE = timedelta(milliseconds=300)


class Written:
    """A run that writes itself: half of its journal is there, then the rest comes, then it is sealed."""

    def __init__(self, tmp_path: Path, plot: Plot) -> None:
        self.evidence = tmp_path / "e"
        self.folder = self.evidence / f"{RUN}{UNFINISHED}"
        sample_pack.write(self.folder, plot)
        (self.folder / CONTROL).mkdir()
        self.journal = self.folder / "journal.jsonl"
        self.lines = self.journal.read_text().splitlines(keepends=True)
        self.half = len(self.lines) // 2
        self.journal.write_text("".join(self.lines[: self.half]))
        self._held = held(self.folder)
        assert self._held.__enter__()
        self._thread = threading.Thread(target=self._go_on)

    def go_on(self) -> None:
        self._thread.start()

    def _go_on(self) -> None:
        clock.sleep(PACE)
        with self.journal.open("a") as file:
            for line in self.lines[self.half :]:
                file.write(line[:20])
                file.flush()
                file.write(line[20:])
        shutil.rmtree(self.folder / CONTROL)
        self.folder.rename(self.evidence / RUN)
        self.die()

    def die(self) -> None:
        """Nobody holds it any more."""
        self._held.__exit__(None, None, None)

    def end(self) -> None:
        if self._thread.ident:
            self._thread.join()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path, Plot(rate=1.0))
    yield made
    made.end()


def watched(run: Written, *words: str) -> Result:
    run.go_on()
    return CliRunner().invoke(drdrill, ["watch", "--evidence", str(run.evidence), *words])


def test_a_run_is_shown_whole_from_the_middle_to_its_verdict(run: Written) -> None:
    """What had happened, what happens, the summary, where the evidence is; the exit code is the verdict's."""
    done = watched(run)
    assert f"run {RUN} on stack local" in done.output, done.output
    assert "  ! destroy_recent_rows: the undo is on disk" in done.output
    assert "MET  An operator's mistake" in done.output
    assert "MET: the verdict of the run" in done.output
    assert f"evidence: {run.evidence / RUN}\n" in done.output
    assert done.exit_code == Exit.MET


def test_a_machine_gets_the_lines_of_the_journal(run: Written) -> None:
    """Byte for byte, each once, and nothing else on standard output."""
    done = watched(run, "--json")
    assert done.stdout == "".join(run.lines)
    assert all(json.loads(line) for line in done.stdout.splitlines())
    assert f"evidence: {run.evidence / RUN}\n" in done.stderr


def test_a_missed_objective_is_the_exit_code(tmp_path: Path) -> None:
    """As it is of `drdrill run`."""
    run = Written(tmp_path, Plot(rate=1.0, early=60.0))
    done = watched(run)
    run.end()
    assert done.exit_code == Exit.MISSED, done.output


def test_the_clock_counts_from_the_fault_also_for_who_comes_late(run: Written) -> None:
    """Not from when somebody began to watch."""
    live = Live(run.folder, say=lambda _: None)
    hurt = clock.mono() - 90_000_000_000
    live.show({"mono": hurt, "kind": "expect", "data": {"finding": "rto", "objective": "RTO of x", "limit": 3600}})
    intent = {"fault": "f", "harms_data": True, "affects": []}
    live.show({"mono": hurt, "kind": "fault.intent", "data": intent})
    assert live.status().startswith("90 s since the fault, RTO of x is 1 h")
    run.die()


def test_who_stops_it_is_shown_at_once(run: Written) -> None:
    """Before the journal says so, which is when all is healed."""
    stopping.ask(run.folder, who="Mira", why="enough")
    assert "asked to stop by Mira: enough" in watched(run).output


def test_who_stops_it_is_said_once(run: Written) -> None:
    """Not again when the journal has ended, and the pack is not sealed yet."""
    said: list[str] = []
    stopping.ask(run.folder, who="Mira", why="enough")
    screen = Screen(run.folder, status=False)
    screen.live.say = lambda _: None
    screen._say = said.append
    screen.look()
    run.journal.write_text("".join(run.lines))
    screen.look()
    screen.look()
    assert said == ["asked to stop by Mira: enough"]
    run.die()


def test_nothing_to_watch_is_no_success(tmp_path: Path) -> None:
    """It says so, and how to wait."""
    done = CliRunner().invoke(drdrill, ["watch", "--evidence", str(tmp_path)])
    assert done.exit_code == Exit.UNKNOWN
    assert "nothing is running" in done.output and "--wait" in done.output


def test_a_next_drill_is_waited_for(tmp_path: Path) -> None:
    """Also where its folder is not there yet."""
    made: list[Written] = []

    def begin() -> None:
        made.append(Written(tmp_path, Plot(rate=1.0)))
        made[0].go_on()

    timer = threading.Timer(PACE.total_seconds(), begin)
    timer.start()
    done = CliRunner().invoke(drdrill, ["watch", "--wait", "--evidence", str(tmp_path / "e")])
    timer.join()
    made[0].end()
    assert "waiting for a drill to begin" in done.output and done.exit_code == Exit.MET


def test_leaving_leaves_the_drill_alone(run: Written) -> None:
    """Ctrl-C ends the watching; nobody is asked to stop, and it says so."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(PACE.total_seconds(), signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    done = CliRunner().invoke(drdrill, ["watch", "--evidence", str(run.evidence)])
    assert "the drill goes on" in done.output and done.exit_code == Exit.UNKNOWN
    assert stopping.asked(run.folder) is None
    run.die()


def test_a_run_that_was_killed_and_that_nobody_heals_is_not_watched_for_ever(
    run: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what heals it."""
    monkeypatch.setattr("harness.cli.watch.BETWEEN", timedelta(0))
    timer = threading.Timer(PACE.total_seconds(), run.die)
    timer.start()
    done = CliRunner().invoke(drdrill, ["watch", "--evidence", str(run.evidence)])
    timer.join()
    assert isinstance(done.exception, NotReady) and "drdrill heal" in done.exception.hint
