"""A run that is stopped, not killed: by Ctrl-C, a signal, a viewer that dies, a fault that expires, `drdrill heal`."""

from __future__ import annotations

import getpass
import signal
from collections.abc import Callable

from harness.errors import Exit
from tests.crash.victim import Folder, Victim, must_be_whole

VARIANTS = ["Ctrl-C", "viewer killed", "fault expired", "SIGTERM", "heal"]
POINT = "line/step.begin/6/after"  # the database is being restored


def test_stopped(folder: Folder, variant: str) -> None:
    """It heals, seals, says who stopped it, and calls what was not decided UNKNOWN."""
    victim = {
        "Ctrl-C": _signalled(signal.SIGINT),
        "SIGTERM": _signalled(signal.SIGTERM),
        "viewer killed": _viewer_killed,
        "fault expired": _expired,
        "heal": _healed,
    }[variant](folder)
    who, why = {
        "Ctrl-C": (getpass.getuser(), "Ctrl-C"),
        "SIGTERM": (getpass.getuser(), "SIGTERM"),
        "viewer killed": ("guardian", "the drdrill that showed the run was killed"),
        "fault expired": ("guardian", "the time of destroy_recent_rows is up"),
        "heal": ("drdrill heal", "heal was asked for"),
    }[variant]
    victim.must_be_sealed("stopped")
    victim.must_have_left_nothing()
    stopped = next(line.data for line in victim.lines() if line.kind == "stopped")
    assert (stopped["who"], stopped["why"]) == (who, why)
    found = {finding["id"]: finding["outcome"] for finding in victim.findings()["findings"]}
    assert victim.findings()["verdict"] == "UNKNOWN"
    assert (found["effective"], found["steady"], found["heal"]) == ("MET", "MET", "MET")
    assert found["rto"] == "UNKNOWN"
    must_be_whole(folder)


def _signalled(number: signal.Signals) -> Callable[[Folder], Victim]:
    """Once, to `drdrill run`, whose exit code says that nothing is decided."""

    def stop(folder: Folder) -> Victim:
        victim = Victim.start(folder, [(POINT, "mark")], viewer=True)
        victim.wait_marked(POINT)
        victim.process.send_signal(number)
        assert victim.wait_ended() == Exit.UNKNOWN, victim.out[-2000:]
        return victim

    return stop


def _viewer_killed(folder: Folder) -> Victim:
    victim = Victim.start(folder, [(POINT, "mark")], viewer=True)
    victim.wait_marked(POINT)
    victim.kill()
    victim.wait_healed()
    return victim


def _expired(folder: Folder) -> Victim:
    victim = Victim.start(folder, ttl=3.0)
    victim.wait_ended()
    victim.wait_healed()
    return victim


def _healed(folder: Folder) -> Victim:
    victim = Victim.start(folder, [(POINT, "mark")])
    victim.wait_marked(POINT)
    assert victim.id in folder.heal()
    victim.wait_ended()
    victim.wait_healed()
    return victim
