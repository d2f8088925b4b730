"""Asks the conditions of a platform every second, in the guardian: a harness that hangs is healed all the same.

What it saw lies in the run's control folder: `conditions.json` says how it stands, written anew each round, and each
change is a line of `conditions.jsonl`, which the harness, or whoever heals, takes into the journal.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError
from harness.evidence.run_folder import CONTROL, STACK_FOLDER
from harness.safety import stopping
from harness.safety.owner import conditions, windows
from harness.safety.owner.conditions import Asked
from harness.safety.owner.control import CHANGES, STATE, wanted
from harness.safety.owner.file import said_of
from harness.stacks.attached import secrets
from harness.stacks.attached.asking import Seen
from harness.stacks.attached.file.described import StackFile
from harness.stacks.kinds import of_run, stands_on
from harness.system import clock, control_files
from harness.system.recorder import Memory

EVERY = timedelta(seconds=1)


@dataclass
class Asking:
    """Those of one run. `ends`: called once, with what a person reads, when the run has to end."""

    folder: Path  # of the run
    said: StackFile
    asked: Sequence[Asked]
    ends: Callable[[str], None]
    every: timedelta = EVERY
    closed: Callable[[StackFile], str] = windows.closed

    def __post_init__(self) -> None:
        self._lock, self._over, self._done = threading.Lock(), threading.Event(), False
        self._rounds = dict.fromkeys(range(len(self.asked)), 0)  # mono of the newest answer of each

    def begin(self) -> None:
        """Each in a thread of its own, so that one that is slow keeps no other waiting."""
        self._say()
        for at in self._rounds:
            threading.Thread(target=self._again, args=(lambda at=at: self._ask(at),), daemon=True).start()
        threading.Thread(target=self._again, args=(self._look,), daemon=True).start()

    def end(self) -> None:
        self._over.set()

    def _again(self, act: Callable[[], None]) -> None:
        while not self._over.is_set() and (self.folder / CONTROL).is_dir():
            begun = clock.mono()
            with suppress(OSError):  # the folder is gone, or its disk is full: the age of the state says it
                act()
            self._over.wait(max(0.0, (self.every - clock.since(begun)).total_seconds()))

    def _ask(self, at: int) -> None:
        one, before = self.asked[at], self.asked[at].state
        if not wanted(self.folder):  # such as between two stacks of one run
            one.forget()
            return
        if one.once():
            self._changed(one, before)
        self._rounds[at] = clock.mono()
        if one.ends:
            self._end(f"abort when {one.ends}")

    def _look(self) -> None:
        """The window, and how everything stands."""
        if wanted(self.folder) and (why := self.closed(self.said)):
            self._end(f"its window has closed: {why}")
        self._say()

    def _end(self, why: str) -> None:
        with self._lock:
            first, self._done = not self._done, True
        if first:
            self.ends(why)

    def _changed(self, one: Asked, before: str) -> None:
        line = {
            "condition": one.condition.text, "where": one.where, "state": one.state, "before": before,
            "seen": one.seen, "asked": clock.mono(),
        }  # fmt: skip  # in groups
        with self._lock, (self.folder / CONTROL / CHANGES).open("a", encoding="utf-8") as changes:
            changes.write(json.dumps(line, ensure_ascii=False) + "\n")
            changes.flush()
            os.fsync(changes.fileno())

    def _say(self) -> None:
        """`oldest`: mono of the answer that is the oldest of all; 0 where one was not asked yet."""
        state: dict[str, Any] = {
            "at": clock.mono(),
            "oldest": min(self._rounds.values(), default=clock.mono()),
            "conditions": [
                {"condition": one.condition.text, "state": one.state, "seen": one.seen} for one in self.asked
            ],
        }
        control_files.leave(self.folder / CONTROL / STATE, state)


def of(folder: Path) -> Asking | None:
    """Of a run whose platform has a file; None where it has none. Errors: `DrillError` where it cannot be asked."""
    kind = of_run(folder)
    said, place = said_of(kind), stands_on(folder) or folder
    if said is None:
        return None
    stack: list[Any] = []

    def probed(probe: str, component: str) -> Seen:
        if not stack:  # an engine that cannot be asked now may be asked a second later
            stack.append(kind.maker.attach(place / STACK_FOLDER, recorder=Memory()))
        found: Seen = stack[0].probed(probe, component)
        return found

    def ends(why: str) -> None:
        stopping.ask(folder, who="guardian", why=why)

    return Asking(folder, said, conditions.all_of(said, secrets.kept(said), probed), ends)


def begin(folder: Path) -> Asking | None:
    """Begin to ask; None where there is nothing to be asked. What cannot be begun ends the run."""
    try:
        found = of(folder)
    except DrillError as error:
        stopping.ask(folder, who="guardian", why=f"the conditions of the platform cannot be asked: {error.message}")
        return None
    if found is not None:
        found.begin()
    return found
