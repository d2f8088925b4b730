"""Tasks for people in an attended drill: somebody is to be called to the conference bridge.

Unlike a decision no drill waits for one: it is a file in the run's control folder, and so is the answer. A task has
telephone numbers, so nobody but its owner can read the file; it goes when it is over, and that folder is in no pack.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.communications.channels import NotReached
from harness.communications.channels.bridge import Bridge, Task
from harness.evidence.run_folder import CONTROL
from harness.run.decisions import NO, YES, Decision
from harness.system import clock, control_files
from harness.system.clock import Moment

FIRST = "task-"  # what their files begin with


@dataclass(frozen=True)
class OpenTask:
    """Whom to call, what to do, and since when (`mono`)."""

    token: str
    role: str
    does: str = field(repr=False)
    given: int

    @property
    def asks(self) -> list[str]:
        """What is to be done, in two lines: without the message."""
        return self.does.partition("\n\n")[0].splitlines()


class Tasks:
    """Those of one scenario: given by whatever sends, in threads of its own, until `end`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._given: dict[str, int] = {}
        self._ended = False

    def bridge(self, number: str) -> Bridge:
        """The channel by which people call people: it is real."""
        return Bridge(number, self.give, self.joined, self.take_back, real=True)

    def give(self, task: Task) -> None:
        """Put it before people. Errors: `OSError`."""
        with self._lock:
            if self._ended:
                raise OSError("the scenario has ended")
            self._given[task.token] = clock.mono()
            said = {**vars(task), "given": self._given[task.token]}
            control_files.leave(_path(self._folder, task.token), said, private=True)

    def joined(self, token: str) -> Moment | None:
        """When they were on the bridge, as a person says. Errors: `NotReached` where one says that they are not."""
        said, given = control_files.read(_answer(self._folder, token)) or {}, self._given.get(token)
        mono, by = said.get("mono"), str(said.get("by"))
        if given is None or not isinstance(mono, int) or not given <= mono <= clock.mono():
            return None
        if said.get("answer") == NO:
            raise NotReached(by)
        return Moment(mono, mono, by) if said.get("answer") == YES else None

    def take_back(self, token: str) -> None:
        """Nobody waits for it any more. Harmless when repeated."""
        with self._lock:
            self._given.pop(token, None)
            for path in (_path(self._folder, token), _answer(self._folder, token)):
                path.unlink(missing_ok=True)

    def end(self) -> None:
        """Take all of them back; no other is given."""
        with self._lock:
            self._ended = True
        for token in list(self._given):
            self.take_back(token)


def open_tasks(folder: Path) -> list[OpenTask]:
    """Those that wait in this run, the oldest first; none for whoever may not read them."""
    found = []
    for path in (folder / CONTROL).glob(f"{FIRST}*.json"):
        with suppress(PermissionError, TypeError):
            task = OpenTask(**(control_files.read(path) or {}))
            if not _answer(folder, task.token).exists():
                found.append(task)
    return sorted(found, key=lambda task: task.given)


def answer(folder: Path, task: OpenTask, given: Decision) -> bool:
    """Answer it. Returns False where somebody was faster, or where nobody waits for it any more."""
    if not _path(folder, task.token).exists():
        return False
    said = {"answer": given.answer, "by": given.by, "mono": clock.mono()}
    try:
        return control_files.leave(_answer(folder, task.token), said, first=True)
    except FileNotFoundError:
        return False


def _path(folder: Path, token: str) -> Path:
    return folder / CONTROL / f"{FIRST}{token}.json"


def _answer(folder: Path, token: str) -> Path:
    return folder / CONTROL / f"answer-{FIRST}{token}.json"
