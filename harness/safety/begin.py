"""The beginning of a run, outside the sandbox: folder, lock, guardian; then the way into the sandbox.

A killed run that nobody healed is healed here first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence import receipts
from harness.evidence.keys import signing_key
from harness.evidence.run_folder import CONTROL, DISK_WANTED, PROJECT, UNFINISHED, option
from harness.safety import block
from harness.safety.guardian import Guardian
from harness.safety.heal import heal_run
from harness.safety.owner import consent, standpoint, windows
from harness.safety.owner.consent import Given
from harness.safety.owner.file import said_of
from harness.safety.running import held, unfinished
from harness.safety.sealing import Reports
from harness.safety.standing import Standing
from harness.stacks import kinds
from harness.stacks.kinds import USUAL, Kind
from harness.system.command import LABEL

FOLDER = "DRDRILL_FOLDER"
NOTHING_GIVEN = Given()
BEGINNING = ".beginning"  # behind the run's id until its folder is locked
MOMENT = timedelta(seconds=2)  # a guardian that looks whether its run is alive holds the lock for an instant


def begin(
    evidence: Path,
    run: str,
    *,
    project: Path,
    reports: Reports,
    kind: Kind = USUAL,
    viewer: int | None = None,
    on: Standing | None = None,
    given: Given = NOTHING_GIVEN,
) -> tuple[Path, int]:
    """Make the run's folder, lock it for the life of this process and its heirs, start the guardian.

    Returns the folder and the lock's file descriptor, which is never closed by the run: the kernel lets go of the
    lock when the last process of the run that holds it is gone. `project` is the folder of what is drilled, `kind`
    that of its stack, `reports` what a killed run that is healed first is sealed with, and `viewer` the pid of a
    `drdrill` that shows it. `on`: the stack that stands and is drilled; it is taken when dead runs, which may have
    hurt it, are healed, and before anything of this one is there. `given`: what
    whoever runs it has brought along for the owner of a platform.

    Errors: `Refused` while another run in the same folder is alive, where somebody has stopped everything in it, where
    it cannot be written, or where the stack cannot be taken.
    """
    if not str(evidence).isprintable():
        raise Refused(f"{str(evidence)!r}: parts of a stack cannot read it", hint="choose a plainer --evidence FOLDER")
    new = not evidence.exists()
    try:
        signing_key()  # one that cannot be used is told now, and not when there is something to seal
        evidence.mkdir(parents=True, exist_ok=True)
        with held(evidence) as alone:
            if not alone:
                raise Refused(
                    f"another run is just beginning in {evidence}", hint="wait for it, or use --evidence FOLDER"
                )
            block.must_be_free(evidence)
            _heal_dead(evidence, reports)
            receipts.complete(evidence)
            must_have_room(evidence)
            consented = _must_be_let(kind, on, given)
            if on is not None:
                kind.maker.must_reach(on.stack.stack, evidence)
                if kind.file is None:
                    must_have_room(on.stack.folder, what="a drill on the stack")
                on.take()
                kind = on.stack.kind if kind.file else kind  # the copy of the file that is drilled, and healed by
            folder = evidence / f"{run}{UNFINISHED}"
            lock = _make(folder, project, kind, on=on.stack.folder if on else None)
            if consented is not None:
                consent.keep(folder, consented, given.authorised)
            _must_still_be_free(folder, lock)
    except Refused:
        if on is not None:
            on.let_go()
        if new:
            with suppress(OSError):
                evidence.rmdir()
        raise
    except OSError as error:
        raise Refused(f"{evidence}: {error.strerror}", hint="choose another place with --evidence FOLDER") from None
    os.environ[FOLDER] = str(folder.resolve())
    os.environ[LABEL] = run
    try:
        Guardian.start(folder, viewer=viewer)
    except BaseException:  # without a guardian nothing may begin, and nothing has
        shutil.rmtree(folder)
        os.close(lock)
        if on is not None:
            on.let_go()
        raise
    return folder, lock


def _must_be_let(kind: Kind, on: Standing | None, given: Given) -> dict[str, Any] | None:
    """By the owner of a platform that has a file; None where there is none. Errors: `Refused`."""
    said = said_of(on.stack.kind if on and on.stack.attached and not kind.file else kind)
    if said is None:
        return None
    standpoint.must_stand_outside(said)
    windows.must_be_open(said)
    return consent.must_be_given(said, given)


def _must_still_be_free(folder: Path, lock: int) -> None:
    """Again, now that the folder can be seen: whoever blocks looks for runs after that, so one of the two is seen."""
    try:
        block.must_be_free(folder.parent)
    except Refused:
        shutil.rmtree(folder, ignore_errors=True)  # what is left because he asks it to stop meanwhile, he removes
        os.close(lock)
        raise


def must_have_room(evidence: Path, *, what: str = "a run") -> None:
    """Errors: `Refused` where the disk has less room than a stack wants."""
    free = shutil.disk_usage(evidence).free
    if free < DISK_WANTED:
        raise Refused(
            f"{evidence}: {free / 1e9:.1f} GB free, {what} wants {DISK_WANTED / 1e9:.0f} GB",
            hint="free some, or choose another place with --evidence FOLDER; the space is given back after it",
        )


def _heal_dead(evidence: Path, reports: Reports) -> None:
    for folder in unfinished(evidence):
        with held(folder, within=MOMENT) as dead:
            if not dead and folder.exists():
                run = folder.name.removesuffix(UNFINISHED)
                heal = f"`drdrill heal{option(evidence)}`"
                raise Refused(
                    f"run {run} is alive in {evidence}, or is just being healed",
                    hint=f"wait for it, stop it with Ctrl-C or {heal}, or use another --evidence FOLDER",
                )
        healed = heal_run(folder, by="next run", reports=reports)
        print(f"healed first: {healed.words()}", flush=True)
        if healed.receipt:
            print(f"receipt:  {healed.receipt}", flush=True)


def _make(folder: Path, project: Path, kind: Kind, *, on: Path | None = None) -> int:
    """Make the run's folder; once it has its name, it is locked and can be asked to stop. Returns the lock."""
    for left in folder.parent.glob(f"*{BEGINNING}"):  # by a run that was killed in here; nobody else is
        shutil.rmtree(left)
    fresh = folder.with_suffix(BEGINNING)
    (fresh / CONTROL).mkdir(parents=True)
    kinds.remember(kind, fresh / PROJECT, project, on=on)
    handle = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(handle, True)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fresh.rename(folder)  # the lock goes with it
    return handle
