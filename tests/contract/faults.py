"""What the contract of faults asks of every fault: `python -m tests.contract.faults NAME FOLDER`, where a stack stands.

Looking hurts nothing, hurting can be proved from outside, healing heals; twice is harmless, and so is healing where
nothing was hurt. Between the steps what the fault needs goes through a file, as it does in a run.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

from harness.faults import Fault
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.faults.lose_volumes import LoseVolumes
from harness.faults.noop import Noop
from harness.recorder import Memory
from harness.stacks import Stack
from harness.stacks.kinds import attach_stack

# One of each; the last one leaves no database behind.
FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Noop(),
        DamageStoredObject("latest base backup", "flip a byte"),
        DestroyRecentRows("quantumnest", "financial_transactions", "created_at", "amount", timedelta(hours=24)),
        LoseVolumes(),
    )
}
STAYS = ("destroy_recent_rows", "lose_volumes")  # what they destroyed comes back by a recovery, not by healing


def keep(fault: Fault, stack: Stack) -> None:
    """The contract. Errors: `AssertionError`."""
    needed = json.loads(json.dumps(fault.prepare(stack)))
    assert not fault.bit(stack, needed), "looking has hurt"
    fault.heal(stack, needed)
    assert not fault.bit(stack, needed), "healing has hurt"
    fault.inject(stack, needed)
    proof = fault.bit(stack, needed)
    assert bool(proof) == (fault.name != "noop"), proof
    for _ in range(2):
        fault.heal(stack, needed)
        assert fault.name in STAYS or not healed_proof(fault, stack, needed), "it still bites"


def healed_proof(fault: Fault, stack: Stack, needed: dict[str, object]) -> str:
    """What is healed may have another version than before, but nothing that is damaged."""
    if isinstance(fault, DamageStoredObject):
        damaged = [one for backup in stack.backups.backups() for one in stack.backups.check(backup)]
        return ", ".join(one.key for one in damaged)
    return fault.bit(stack, needed)


if __name__ == "__main__":
    keep(FAULTS[sys.argv[1]], attach_stack(Path(sys.argv[2]) / "stack", recorder=Memory()))
