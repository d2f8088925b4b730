"""The beginning of a run, outside the world: folder, lock, guardian; then the way into the world.

A killed run that nobody healed is healed here first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from datetime import timedelta
from pathlib import Path

from harness.command import LABEL
from harness.errors import Refused
from harness.folders import CONTROL, UNFINISHED
from harness.safety.guardian import Guardian
from harness.safety.heal import heal_run, held, unfinished

FOLDER = "DRDRILL_FOLDER"
MOMENT = timedelta(seconds=2)  # a guardian that looks whether its run is alive holds the lock for an instant


def begin(evidence: Path, run: str, *, viewer: int | None = None) -> tuple[Path, int]:
    """Make the run's folder, lock it for the life of this process and its heirs, start the guardian.

    Returns the folder and the lock's file descriptor, which is never closed by the run: the kernel lets go of the
    lock when the last process of the run that holds it is gone. `viewer` is the pid of a `drdrill` that shows it.

    Errors: `Refused` while another run in the same folder is alive, or where the folder cannot be written.
    """
    try:
        evidence.mkdir(parents=True, exist_ok=True)
        with held(evidence) as alone:
            if not alone:
                raise Refused(
                    f"another run is just beginning in {evidence}", hint="wait for it, or use --evidence FOLDER"
                )
            _heal_dead(evidence)
            folder = evidence / f"{run}{UNFINISHED}"
            folder.mkdir()
            lock = _lock(folder)
            (folder / CONTROL).mkdir()
    except OSError as error:
        raise Refused(f"{evidence}: {error.strerror}", hint="choose another place with --evidence FOLDER") from None
    os.environ[FOLDER] = str(folder.resolve())
    os.environ[LABEL] = run
    try:
        Guardian.start(folder, viewer=viewer)
    except BaseException:  # without a guardian nothing may begin, and nothing has
        shutil.rmtree(folder)
        os.close(lock)
        raise
    return folder, lock


def _heal_dead(evidence: Path) -> None:
    for folder in unfinished(evidence):
        with held(folder, within=MOMENT) as dead:
            if not dead and folder.exists():
                run = folder.name.removesuffix(UNFINISHED)
                raise Refused(
                    f"run {run} is alive in {evidence}, or is just being healed",
                    hint="wait for it, stop it with Ctrl-C or `drdrill heal`, or use another --evidence FOLDER",
                )
        healed = heal_run(folder, by="next run")
        print(
            f"healed first: run {healed.run}, which was killed; its pack: {healed.pack or 'nothing had begun'}",
            flush=True,
        )


def _lock(folder: Path) -> int:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(handle, True)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle
