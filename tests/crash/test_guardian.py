"""SIGKILL to the guardian, to both, and a harness that hears nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from harness.cli.with_reports import guard
from harness.errors import Exit
from harness.evidence.run_folder import CONTROL
from harness.safety import guardian, stopping
from harness.system.command import LABEL
from tests.crash.victim import Folder, Victim, must_be_whole

VARIANTS = ["both in a step", "guardian before the fault", "both, and the next run heals", "guardian after the fault",
            "early, on its way into the sandbox", "both, and one healer after another",
            "drill under a viewer"]  # fmt: skip  # a list
BEFORE, AFTER = "line/workload.begin/1/after", "line/fault.effective/1/after"
HEALERS = ("line/ledger/2/after", "line/workload.end/1/before", "line/workload.end/1/torn", "line/fault.healed/1/after",
           "line/run.end/1/torn", "seal/reports/1/after", "seal/control/1/after", "seal/write/4/after",
           "seal/rename/1/after")  # fmt: skip  # a list
STEP = "line/step.begin/6/after"  # the database is being restored


def test_guardian(folder: Folder, variant: str) -> None:
    """Nothing more is hurt without a guardian; without both, `drdrill heal` or the next run heals and seals."""
    {
        "both in a step": _both,
        "both, and the next run heals": _next_run,
        "guardian before the fault": _before,
        "guardian after the fault": _after,
        "early, on its way into the sandbox": _early,
        "both, and one healer after another": _healers,
        "drill under a viewer": _viewed,
    }[variant](folder)
    must_be_whole(folder)


def _both(folder: Folder) -> None:
    victim = _killed_both(folder)
    said = folder.heal()
    assert victim.id in said and "destroy_recent_rows" in said, said
    victim.must_be_sealed("killed")
    victim.must_have_left_nothing()


def _viewed(folder: Folder) -> None:
    """`drdrill run` and the guardian both want to heal; one does, and the exit code says that nothing is decided."""
    victim = Victim.start(folder, [(STEP, "kill")], viewer=True)
    assert victim.wait_ended() == Exit.UNKNOWN, victim.out[-3000:]
    victim.wait_healed()
    victim.must_be_sealed("killed")
    victim.must_have_left_nothing()


def _healers(folder: Folder) -> None:
    """Whoever heals can be killed, too: the next one goes on."""
    victim = _killed_both(folder)
    for point in HEALERS:
        killed = folder.heal_and_die(victim.unfinished, point)
        assert killed.returncode == -9, f"{point}: {killed.stdout}{killed.stderr}"
    victim.must_be_sealed("killed")
    victim.must_have_left_nothing()
    ledgers = [line.data["sha256"] for line in victim.lines() if line.kind == "ledger"]
    assert len(set(ledgers)) == 3
    totals = next(line.data for line in victim.lines() if line.kind == "workload.end")
    assert totals["sent"] == sum(
        path.read_text().count('"e":"sent"') for path in victim.pack.glob("scenarios/*/ledger-*.jsonl")
    )


def _next_run(folder: Folder) -> None:
    victim = _killed_both(folder)
    following = Victim.start(folder, [("line/stack.begin/1/before", "ask")])
    following.wait_ended()
    following.wait_healed()
    assert f"healed first: run {victim.id}" in following.out, following.out[-2000:]
    victim.must_be_sealed("killed")
    assert victim.lines()[-1].data["by"] == "next run"
    following.must_be_sealed("stopped")
    victim.must_have_left_nothing()


def _before(folder: Folder) -> None:
    victim = Victim.start(folder, [(BEFORE, "hold")])
    victim.wait_marked(BEFORE)
    victim.kill_guardian()
    victim.go_on()
    assert victim.wait_ended() != 0
    victim.must_be_sealed("completed")
    assert "fault.intent" not in {line.kind for line in victim.lines()}
    assert victim.findings()["verdict"] == "UNKNOWN"
    victim.must_have_left_nothing()


def _after(folder: Folder) -> None:
    victim = Victim.start(folder, [(AFTER, "hold")])
    victim.wait_marked(AFTER)
    victim.kill_guardian()
    victim.go_on()
    victim.wait_ended()
    victim.must_be_sealed("completed")
    assert victim.findings()["verdict"] != "MET", "nobody watched over what was hurt"
    victim.must_have_left_nothing()


def _early(folder: Folder) -> None:
    """Killed with its guardian before there is a journal: nothing had begun, and nothing stays."""
    victim = Victim.start(folder)
    victim.wait_guarded()
    victim.kill_guardian()
    victim.kill()
    assert "nothing had begun" in folder.heal()
    assert not victim.pack.exists()
    victim.must_have_left_nothing()


def _killed_both(folder: Folder) -> Victim:
    victim = Victim.start(folder, [(STEP, "hold")])
    victim.wait_marked(STEP)
    victim.kill_guardian()
    victim.kill()
    return victim


DEAF = """
import fcntl, os, signal, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("holds it", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_harness_that_hears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was asked to stop and does not is ended by its guardian, when the guardian's patience is over."""
    monkeypatch.setattr(guardian, "GRACE", timedelta(seconds=1))
    run = f"deaf-{os.getpid()}"
    folder = tmp_path / f"{run}.unfinished"
    (folder / CONTROL).mkdir(parents=True)
    deaf = subprocess.Popen(
        [sys.executable, "-c", DEAF, str(folder)], env={**os.environ, LABEL: run}, stdout=subprocess.PIPE
    )
    assert deaf.stdout is not None and deaf.stdout.readline()
    stopping.ask(folder, who="test", why="it is asked")
    assert guard(folder, viewer=None) == 0
    assert deaf.wait(5) == -9
    assert not folder.exists()
