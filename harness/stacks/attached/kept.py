"""The backups of a stack file, as whoever restores one beside is given them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.plan.sizes import measured
from harness.restores.described import Backups
from harness.stacks import Condition

ROOM = 1_000_000_000  # bytes: with less nothing can be restored


@dataclass(frozen=True)
class KeptBackups:
    """Fills the protocol Kept. `beside`: where places are made where the file names no folder."""

    described: Backups
    values: Mapping[str, str]
    beside: Path

    def condition(self) -> Condition:
        """Whether a place can be made at all. What each repository is like is a finding of its own."""
        folder = next(each for each in (self.described.folder or self.beside, *self.beside.parents) if each.is_dir())
        free = shutil.disk_usage(folder).free
        ok = free >= ROOM and os.access(folder, os.W_OK)
        seen = f"{measured(free)} free" if os.access(folder, os.W_OK) else "nothing can be written there"
        return Condition("there is room for a place beside", ok=ok, seen=seen)
