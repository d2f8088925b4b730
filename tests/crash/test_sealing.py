"""SIGKILL in the middle of sealing, between any two of its acts."""

from __future__ import annotations

from tests.crash.killer import MOMENTS, SEAL_STEPS
from tests.crash.victim import Folder, Victim, must_be_whole

TIMES = {"write": 4}  # key, guide, sums, envelope
VARIANTS = [
    *(f"seal/{step}/{which}/{moment}" for step in SEAL_STEPS for which in range(1, TIMES.get(step, 1) + 1)
      for moment in MOMENTS),
    "with its guardian",
]  # fmt: skip  # a table
MIDDLE = "seal/write/3/before"
EARLY = ("line/stack.begin/1/after", "ask")  # so that it is soon sealed


def test_sealing(folder: Folder, variant: str) -> None:
    """A pack is sealed whole or not at all, and what was not is sealed by whoever heals; nothing is lost."""
    both = variant == "with its guardian"
    victim = Victim.start(folder, [EARLY, (MIDDLE, "hold") if both else (variant, "kill")])
    if both:
        victim.wait_marked(MIDDLE)
        victim.kill_guardian()
        victim.kill()
        assert victim.id in folder.heal()
    else:
        assert victim.wait_ended() == 128 + 9, victim.out[-2000:]
        victim.wait_healed()
    victim.must_be_sealed("stopped")
    victim.must_have_left_nothing()
    must_be_whole(folder)
