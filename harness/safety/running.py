"""Which runs of a folder of evidence are under way, those of its proofs among them."""

from __future__ import annotations

from pathlib import Path

from harness.errors import Refused
from harness.folders import PROOF
from harness.safety.heal import held, unfinished


def under(evidence: Path) -> list[Path]:
    """The folders of all runs that are not sealed, also of those that were killed; the newest last.

    Errors: `Refused` where there is no such folder: then nothing can be said about what runs elsewhere.
    """
    if not evidence.is_dir():
        raise Refused(
            f"there is no folder {evidence.resolve()}",
            hint="go to where the drill was started, or name the folder of its evidence with --evidence",
        )
    proofs = [path for path in evidence.glob(f"{PROOF}*") if path.is_dir()]
    found = [folder for each in (evidence, *proofs) for folder in unfinished(each)]
    return sorted(found, key=lambda folder: folder.name)


def alive(folder: Path) -> bool:
    """Whether somebody holds it: the run, whoever heals it, or for an instant a guardian that looks."""
    with held(folder) as free:
        return not free and folder.exists()


def newest(evidence: Path) -> Path | None:
    """The run that is alive, of several the newest; None where there is none. Errors: as `under`."""
    return next((folder for folder in reversed(under(evidence)) if alive(folder)), None)
