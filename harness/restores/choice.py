"""Which backup of a catalogue is restored: the newest, one that is named, or one that the auditor's seed draws."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.errors import Refused
from harness.restores import Kept

NEWEST: Final = "newest"
NAMED: Final = "named"
DRAWN: Final = "drawn"


@dataclass(frozen=True)
class Asked:
    """What a feature asks for. `point`: a point in time of the stack file by its name; empty: all that there is."""

    which: Literal["newest", "named", "drawn"] = "newest"
    named: str = ""
    point: str = ""


@dataclass(frozen=True)
class Chosen:
    kept: Kept
    how: str  # "the newest of 7"


def choose(catalogue: Sequence[Kept], asked: Asked, *, seed: str, database: str) -> Chosen | None:
    """None where the catalogue is empty. Errors: `Refused` where none has the name that is asked for."""
    if not catalogue:
        return None
    of = f"of {len(catalogue)}"
    if asked.which == NEWEST:
        return Chosen(catalogue[-1], f"the newest {of}")
    if asked.which == DRAWN:
        at = drawn(seed, database, len(catalogue))
        return Chosen(catalogue[at], f"number {at + 1} {of} from the oldest on, drawn by the run's seed")
    found = next((each for each in catalogue if each.id == asked.named), None)
    if found is None:
        newest = ", ".join(each.id for each in catalogue[-3:])
        raise Refused(f"{database} has no backup {asked.named}", hint=f"the newest are: {newest}")
    return Chosen(found, f"named by the feature, {of}")


def drawn(seed: str, database: str, number: int) -> int:
    """From 0 to `number` - 1. The seed follows from the run's nonce, which an auditor may have chosen."""
    return int.from_bytes(hashlib.sha256(f"{seed} {database}".encode()).digest()) % number
