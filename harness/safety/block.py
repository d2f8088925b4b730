"""A folder of evidence in which nothing may run: `drdrill stop` blocks it, `drdrill resume` lifts that.

The block is a file beside the packs. It is no part of any pack, and says nothing about a run: the pack of the run that
was stopped says who stopped it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Refused
from harness.evidence.run_folder import PROOF, option
from harness.system import control_files
from harness.system.clock import now, utc_text
from harness.system.durable import sync_folder

FILE = "STOPPED.json"


@dataclass(frozen=True)
class Block:
    """Who has stopped it, why, and when (UTC)."""

    who: str
    why: str
    when: str

    def words(self) -> str:
        return f"stopped by {self.who}, {self.when}: {self.why}"


def block(evidence: Path, *, who: str, why: str) -> bool:
    """Block it; on the disk when this returns. Returns False where it is blocked already: the first one stands.

    Write it before you look for runs: a run looks for it once its folder can be seen.
    """
    return control_files.leave(evidence / FILE, vars(Block(who, why, utc_text(now().utc))), first=True)


def blocked(evidence: Path) -> Block | None:
    """The block of this folder, or of the one whose drills are proved in it. One that cannot be read is one, too."""
    folder = _where(evidence)
    if folder is None:
        return None
    said = control_files.read(folder / FILE) or {}
    who, why, when = (str(said.get(name, "not known")) for name in ("who", "why", "when"))
    return Block(who, why, when)


def must_be_free(evidence: Path) -> None:
    """Errors: `Refused`, with who has blocked it, when and why."""
    if found := blocked(evidence):
        folder = _where(evidence)
        where = option(folder) if folder else ""
        raise Refused(
            f"new runs in {evidence} are blocked: {found.words()}",
            hint=f"`drdrill resume{where}` lifts the block, once that is settled",
        )


def lift(evidence: Path) -> Block | None:
    """Lift the block, and return it; None where there was none."""
    found, folder = blocked(evidence), _where(evidence)
    if folder is not None:
        (folder / FILE).unlink(missing_ok=True)
        sync_folder(folder)
    return found


def _where(evidence: Path) -> Path | None:
    """The folder that holds the block."""
    evidence = evidence.resolve()
    folders = (evidence, *([evidence.parent] if evidence.name.startswith(PROOF) else []))
    return next((folder for folder in folders if os.path.lexists(folder / FILE)), None)
