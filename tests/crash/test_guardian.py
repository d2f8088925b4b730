"""SIGKILL to the guardian, to both, and a harness that hears nothing."""

from __future__ import annotations

from tests.crash.victim import Folder, Victim, must_be_whole

VARIANTS = ["both in a step", "guardian before the fault", "both, and the next run heals", "guardian after the fault",
            "frozen harness"]  # fmt: skip
BEFORE, AFTER = "line/workload.begin/1/after", "line/fault.bit/1/after"
STEP = "line/step.begin/6/after"  # the database is being restored


def test_guardian(folder: Folder, variant: str) -> None:
    """Nothing more is hurt without a guardian; without both, `drdrill heal` or the next run heals and seals."""
    {
        "both in a step": _both,
        "both, and the next run heals": _next_run,
        "guardian before the fault": _before,
        "guardian after the fault": _after,
        "frozen harness": _frozen,
    }[variant](folder)
    must_be_whole(folder)


def _both(folder: Folder) -> None:
    victim = _killed_both(folder)
    said = folder.heal()
    assert victim.id in said and "destroy_recent_rows" in said, said
    victim.must_be_sealed("killed")
    victim.must_have_left_nothing()


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
    victim.must_have_left_nothing()


def _frozen(folder: Folder) -> None:
    """Asked to stop by `drdrill heal`, it does not: the guardian ends it when its patience is over."""
    victim = Victim.start(folder, [(STEP, "freeze")])
    victim.wait_marked(STEP)
    folder.heal()
    victim.wait_ended()
    victim.wait_healed()
    victim.must_be_sealed("killed")
    victim.must_have_left_nothing()


def _killed_both(folder: Folder) -> Victim:
    victim = Victim.start(folder, [(STEP, "hold")])
    victim.wait_marked(STEP)
    victim.kill_guardian()
    victim.kill()
    return victim
