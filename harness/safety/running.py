"""Which runs of a folder of evidence are under way, those of its proofs among them; and who holds one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.evidence.run_folder import PROOF, UNFINISHED
from harness.system import wait


@contextmanager
def held(folder: Path, *, within: timedelta = timedelta(0)) -> Iterator[bool]:
    """Hold a folder; False where somebody alive holds it, or where it is gone.

    The lock is on the folder itself: no file of it can get into a pack, and it stays when the folder is renamed. The
    kernel lets go of it when its holder dies.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield wait.poll(lambda: locked(handle), within=within)
    finally:
        os.close(handle)


def locked(handle: int) -> bool:
    """Lock a folder that is open; False where somebody else holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unfinished(evidence: Path) -> list[Path]:
    """The runs of a folder that are not sealed, oldest first."""
    return sorted(path for path in evidence.glob(f"*{UNFINISHED}") if path.is_dir())


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
