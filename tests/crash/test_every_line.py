"""SIGKILL before and after every journal line that changes state, and in the middle of some."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.conftest import ONLY_SAID, Clean, changing
from tests.crash.victim import Folder, Victim, must_be_whole

KILLED = 128 + 9


def test_every_line(level: str, folder: Folder, points: list[str], subtests: pytest.Subtests) -> None:
    """Killed at any line, a run is healed and sealed by its guardian, and says that it was killed."""
    for point in points:
        with subtests.test(msg=f"{level}: {point}"):
            victim = Victim.start(folder, [(point, "kill")])
            assert victim.wait_ended() == KILLED, victim.out[-3000:]
            assert victim.mark.exists(), "the point was not reached"
            victim.wait_healed()
            victim.must_have_left_nothing()
            if point in ("line/run.begin/1/before", "line/run.begin/1/torn"):
                assert not victim.pack.exists(), "nothing had begun"
            else:
                victim.must_be_sealed("completed" if point == "line/run.end/1/after" else "killed")
    must_be_whole(folder)


def test_random_moments(
    level: str, folder: Folder, clean: Callable[[str], Clean], fractions: list[float], subtests: pytest.Subtests
) -> None:
    """Killed at any moment, also between lines and while a pack is sealed, the same holds."""
    length = clean(level).length.total_seconds()
    for fraction in fractions:
        moment = round(length * fraction, 3)
        with subtests.test(msg=f"{level}: {moment} s of {length:.0f} s"):
            victim = Victim.start(folder, [(f"time/{moment}", "kill")])
            code = victim.wait_ended()
            victim.wait_healed()
            victim.must_have_left_nothing()
            if victim.pack.exists():
                victim.must_be_sealed(victim.outcome())
                assert victim.outcome() == "killed" or victim.lines()[-1].data["by"] == "harness"
            else:
                assert code == KILLED and fraction < 0.5, "only what had not begun leaves no pack"
    must_be_whole(folder)


def test_only_what_is_said_is_left_out() -> None:
    """A kind of line that nobody has thought about counts as one that changes state."""
    assert changing(["process", "wait", "process", "brand.new"]) == [
        "line/process/1",
        "line/process/2",
        "line/brand.new/1",
    ]
    assert not ONLY_SAID & {"process", "command", "fault.intent", "fault.effective", "fault.healed", "run.end", "rows"}
