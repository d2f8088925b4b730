"""Drills in a row on one real stack, which is left running, healed and steady after each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.evidence.lines import read
from harness.stacks import brought_up
from harness.system.command import labelled

ROOT = Path(__file__).parents[2]
LIMIT = 300  # seconds, of a command that hangs
DIES = ["run", "application-recovery", "--only", "An API server dies"]
MISTAKE = ["run", "database-backup-restoration", "--only", "An operator's mistake"]


def drdrill(*words: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.fixture
def evidence() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="drill-", dir="/tmp") as folder:
        where = Path(folder) / "e"
        up = drdrill("stack", "up", "--scale", "0.02", "--evidence", where)
        try:
            assert up.returncode == 0, up.stdout + up.stderr
            yield where
        finally:
            drdrill("stack", "down", "--evidence", where)


def test_drills_in_a_row_on_one_stack(evidence: Path) -> None:
    """The database is restored, then a part dies: both are MET, neither counts what the other one wrote, and the
    stack stays."""
    stack = brought_up.find(evidence)
    for words in (MISTAKE, DIES):
        ended = drdrill(*words, "--on", stack.folder, "--evidence", evidence, "--json")
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
        told = json.loads(ended.stdout)
        assert told["stack_left"]["steady"] is True
        pack = Path(told["pack"])
        said = {line.kind: line.data for line in read(pack / "journal.jsonl")}
        assert said["stack.begin"]["owned"] is False and "stack.end" not in said
        assert said["stack.left"]["steady"] is True
        assert said["run.begin"]["scale"] == 0.02
        assert (pack / "logs" / "patroni-a.log").is_file()
        assert labelled(pack.name) == [] and stack.alive()
        (found,) = json.loads(drdrill("stack", "status", "--evidence", evidence, "--json").stdout)
        assert (found["stack"], found["state"]) == (stack.name, "steady")
    assert not brought_up.all_in(evidence)[1:]
    down = drdrill("stack", "down", "--evidence", evidence)
    assert down.returncode == 0 and not stack.folder.exists() and labelled(stack.name) == []
