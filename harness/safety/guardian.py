"""A small process that is started first and outlives the harness: it heals when the harness dies, or when a fault has
lived too long.

`python -m harness.cli.guardian FOLDER [VIEWER]`. The harness holds a lock for all its life, inside or outside the
sandbox; when the kernel has let go of it, the harness is dead. VIEWER is the pid of the `drdrill` that shows the run:
when that is killed, the run is asked to stop.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError, NotReady
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.safety import stopping, undo
from harness.safety.heal import heal_run
from harness.safety.owner import asking, control
from harness.safety.running import held
from harness.safety.sealing import Reports
from harness.system import clock, wait
from harness.system.command import LABEL, Process, end_labelled
from harness.system.environment import for_harness
from harness.system.recorder import Memory

LOOKS = timedelta(milliseconds=500)
DEAF = timedelta(seconds=15)  # for one that hangs, and does not even go about it, while something is hurt
GRACE = timedelta(minutes=2)  # for a harness that was asked to stop, before it is ended
START_LIMIT = timedelta(seconds=20)


class Guardian:
    """The harness's side of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def start(cls, folder: Path, *, viewer: int | None) -> Guardian:
        """Start the process, outside the sandbox, and return when it watches.

        Errors: `NotInTime` when it does not come up.
        """
        environment = {name: value for name, value in for_harness().items() if name != LABEL}
        words = [
            sys.executable,
            "-m",
            "harness.cli.guardian",
            str(folder.resolve()),
            *([str(viewer)] if viewer else []),
        ]
        with (folder / CONTROL / "guardian.log").open("ab") as log:
            subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        guardian = cls(folder)
        wait.until(guardian.watches, what="the guardian watches", within=START_LIMIT, recorder=Memory())
        return guardian

    def watches(self) -> bool:
        """Whether it is alive, seen from inside or outside the sandbox: it holds the control folder."""
        control = self.folder / CONTROL
        with held(control) as free:
            return not free and control.is_dir()

    def ensure(self) -> None:
        """Errors: `NotReady` when somebody has killed it: then nothing more may be hurt."""
        if not self.watches():
            raise NotReady(
                "the guardian is gone, so nothing more is hurt", hint="run again; `drdrill heal` is harmless"
            )


def watch(folder: Path, *, viewer: int | None, reports: Reports) -> int:
    """Return when nothing is left to guard; the exit code says whether healing went well."""
    try:
        with held(folder / CONTROL):
            _until_over(folder, Process.of(viewer) if viewer else None)
        if folder.exists():
            healed = heal_run(folder, by="guardian", reports=reports)
            print(healed.words())
            return int(healed.exit)
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)
    return 0


def _until_over(folder: Path, viewer: Process | None) -> None:
    asked, conditions = 0, None

    def over() -> bool:
        nonlocal asked, conditions
        if conditions is None and control.wanted(folder):
            conditions = asking.begin(folder)
        if not folder.exists() or _dead(folder):
            return True
        due = [pending.fault for pending in undo.pending(folder) if pending.expires <= clock.mono()]
        if due or (viewer and not viewer.running()):
            why = f"the time of {', '.join(due)} is up" if due else "the drdrill that showed the run was killed"
            stopping.ask(folder, who="guardian", why=why)
        if stopping.asked(folder):
            asked = asked or clock.mono()
            deaf = clock.since(asked) > DEAF and not stopping.heard(folder) and undo.pending(folder)
            if deaf or clock.since(asked) > GRACE:
                end_labelled(folder.name.removesuffix(UNFINISHED), but_parts=True)
                return True  # once: from now on somebody heals, perhaps `drdrill run`, with processes of this label
        return False

    wait.poll(over, within=None, every=LOOKS)


def _dead(folder: Path) -> bool:
    with held(folder) as free:
        return free
