"""What the guardian sees of the conditions, in the harness: into the journal, and no fault without a fresh answer.

Who asks may be killed, too: then the run heals and ends.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.run_folder import CONTROL
from harness.safety import stopping
from harness.safety.owner import windows
from harness.safety.owner.conditions import CLEAR
from harness.safety.owner.control import BEGUN, CHANGES, STATE
from harness.stacks.attached.file.described import StackFile
from harness.system import clock, control_files, wait
from harness.system.recorder import Recorder

LOOKS = timedelta(milliseconds=500)
STALE = timedelta(seconds=20)  # longer than any condition may take to be answered
FIRST = timedelta(seconds=15)  # until all were asked for the first time
KIND = "abort.condition"  # of the journal


class Told:
    """Of one run, from when its platform can be asked to its end."""

    def __init__(self, folder: Path, said: StackFile, recorder: Recorder, *, looks: timedelta = LOOKS) -> None:
        self._folder = folder
        self._said = said
        self._recorder = recorder
        self._looks = looks
        self._over = threading.Event()
        self._taken = 0  # lines
        self._begun = clock.mono()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Let the guardian ask. Errors: `Refused` where not all of it is answered, and clear, soon."""
        control_files.leave(self._folder / CONTROL / BEGUN, {"at": clock.mono()})
        self._begun = clock.mono()
        threading.Thread(target=self._listen, name="conditions", daemon=True).start()
        wait.poll(lambda: not _not_clear(self._folder, self._said), within=FIRST, every=self._looks)
        self.take()
        must_be_clear(self._folder, self._said)

    def end(self) -> None:
        """The platform is asked no more. Harmless when repeated."""
        self._over.set()
        (self._folder / CONTROL / BEGUN).unlink(missing_ok=True)
        self.take()

    def take(self) -> None:
        """What is new, into the journal."""
        with self._lock:
            lines = changes(self._folder)
            for line in lines[self._taken :]:
                record(self._recorder, line)
            self._taken = len(lines)

    def _listen(self) -> None:
        while not self._over.wait(self._looks.total_seconds()):
            self.take()
            if clock.since(self._begun) > STALE and (why := stale(self._folder)):
                stopping.ask(self._folder, who="harness", why=why)
                return


def stale(folder: Path) -> str:
    """Why nobody knows how the conditions stand now; empty where somebody does."""
    state = control_files.read(folder / CONTROL / STATE) or {}
    for word in ("at", "oldest"):
        if not state.get(word) or clock.since(int(state[word])) > STALE:
            return f"nobody has asked the conditions of the platform for {STALE.total_seconds():g} s"
    return ""


def must_be_clear(folder: Path, said: StackFile) -> None:
    """Before anything is hurt. Errors: `Refused` where a condition is true, or nobody knows."""
    windows.must_be_open(said)
    if why := _not_clear(folder, said):
        raise Refused(f"{why}; nothing was hurt", hint=f"{said.where('safety', 'abort when')}: see why, then run again")


def changes(folder: Path) -> list[dict[str, Any]]:
    """Each change of state, in order; a line that was cut off is left out."""
    found: list[dict[str, Any]] = []
    with suppress(FileNotFoundError):
        for line in (folder / CONTROL / CHANGES).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
    return found


def take_left(folder: Path, recorder: Recorder, *, taken: int) -> None:
    """By whoever heals a killed run: the changes after the first `taken`, which are in its journal."""
    for line in changes(folder)[taken:]:
        record(recorder, line)


def record(recorder: Recorder, line: dict[str, Any]) -> None:
    """One change of state."""
    recorder.record(
        "abort.condition", condition=line["condition"], where=line["where"], state=line["state"],
        before=line["before"], seen=line["seen"], asked=line["asked"],
    )  # fmt: skip  # arguments in groups


def _not_clear(folder: Path, said: StackFile) -> str:
    if why := stale(folder):
        return why
    state = control_files.read(folder / CONTROL / STATE) or {}
    found = state.get("conditions", [])
    if len(found) < len(said.safety.abort_when):
        return "not every condition of the platform was asked"
    wrong = [one for one in found if one["state"] != CLEAR]
    return "; ".join(f"{one['condition']}: {one['state'] or 'not asked yet'}: {one['seen']}" for one in wrong)
