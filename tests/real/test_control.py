"""A real drill that asks people, watched and stopped from other shells while its question waits."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.evidence.lines import read
from harness.system import clock, wait
from harness.system.command import labelled
from harness.system.recorder import Memory

ROOT = Path(__file__).parents[2]
DRILL = ["database-backup-restoration", "--only", "An operator's mistake", "--scale", "0.02"]
LIMIT = timedelta(minutes=3)


class Terminal:
    """`drdrill` on a pseudo terminal, with what it has written there so far."""

    def __init__(self, *words: str | Path) -> None:
        self._hand, drill = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, words)], cwd=ROOT, stdin=drill, stdout=drill, stderr=drill,
            start_new_session=True,
        )  # fmt: skip  # arguments in groups
        os.close(drill)
        self._read = b""
        threading.Thread(target=self._reading, daemon=True).start()

    def _reading(self) -> None:
        try:
            while letters := os.read(self._hand, 4096):
                self._read += letters
        except OSError:
            return  # the last process of the terminal has ended

    @property
    def text(self) -> str:
        return self._read.decode(errors="replace")

    def write(self, text: str) -> None:
        os.write(self._hand, text.encode())

    def wait_for(self, words: str) -> None:
        wait.until(
            lambda: words in self.text, what=words, within=LIMIT, recorder=Memory(), last_seen=lambda: self.text[-3000:]
        )

    def end(self) -> int:
        return self.process.wait(LIMIT.total_seconds())


@pytest.fixture
def evidence() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="drill-", dir="/tmp") as folder:
        yield Path(folder) / "e"


def drdrill(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_a_drill_that_asks_is_watched_and_stopped_from_other_shells(evidence: Path) -> None:
    """It heals, seals, says who stopped it and calls nothing MET that is open; then nothing begins until `resume`."""
    drill = Terminal("run", *DRILL, "--attended", "--evidence", evidence)
    drill.wait_for("who decides")
    drill.write("Mira\n")
    drill.wait_for("the undo is on disk")
    watcher = Terminal("watch", "--evidence", evidence)
    drill.wait_for("yes or no, as Mira > ")
    watcher.wait_for("answer within")
    drill.write("maybe\n")
    drill.wait_for("not understood")
    assert "the incident commander was asked" in drdrill("decide", "--evidence", evidence).stdout
    begin = clock.mono()
    stopped = drdrill("stop", "--as", "Noor", "--why", "a customer is hurt", "--evidence", evidence)
    assert (stopped.returncode, drill.end(), watcher.end()) == (0, 2, 2), stopped.stdout + stopped.stderr
    assert clock.since(begin) < timedelta(seconds=60)
    (pack,) = (path for path in evidence.iterdir() if path.is_dir())
    assert f"run {pack.name}: ended, healed and sealed; verdict UNKNOWN" in stopped.stdout
    for terminal in (drill, watcher):
        assert "asked to stop by Noor: a customer is hurt" in terminal.text
        assert f"evidence: {pack}" in terminal.text
    _must_be_stopped(pack)

    refused = drdrill("run", *DRILL, "--evidence", evidence)
    assert refused.returncode == 3
    assert "stopped by Noor" in refused.stderr and "a customer is hurt" in refused.stderr
    assert "HINT: `drdrill resume" in refused.stderr
    for words in (
        ["verify", pack],
        ["heal", "--evidence", evidence],
        ["report", pack, "--into", evidence.parent / "r"],
    ):
        assert drdrill(*words).returncode in (0, 2), words
    assert [path for path in evidence.iterdir() if path.is_dir()] == [pack]
    assert "stopped by Noor" in drdrill("resume", "--evidence", evidence).stdout
    assert [path for path in evidence.iterdir() if path.is_dir()] == [pack]


def _must_be_stopped(pack: Path) -> None:
    lines = read(pack / "journal.jsonl")
    said = {line.kind: line.data for line in lines}
    assert (said["stopped"]["who"], said["stopped"]["why"]) == ("Noor", "a customer is hurt")
    assert (said["asked"]["role"], "decided" in said) == ("incident commander", False)
    assert said["run.end"]["outcome"] == "stopped" and said["fault.healed"]["ok"]
    found: dict[str, dict[str, Any]] = {
        one["id"]: one for one in json.loads((pack / "findings.json").read_text())["findings"]
    }
    assert (found["steady"]["outcome"], found["effective"]["outcome"], found["heal"]["outcome"]) == (
        "MET",
        "MET",
        "MET",
    )
    assert found["rto"]["outcome"] == "UNKNOWN" and "stopped by Noor" in found["rto"]["reason"]
    assert "nobody had decided for the incident commander" in found["decision"]["reason"]
    assert "MISSED" not in {one["outcome"] for one in found.values()}
    assert labelled(pack.name) == [] and not (pack / "control").exists()
