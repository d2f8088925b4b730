"""What all restores of a scenario may take together: time, and room on the disk of their places."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.errors import NotInTime, Unable
from harness.plan.sizes import measured
from harness.system import clock

TIMES = 2  # the size of what is restored: the archive and what is sorted for an index take room, too
LEAST = 300_000_000  # bytes, of a database that is nearly empty: its own log files
LITTLE = 20_000_000  # bytes
POLL = 1.0  # seconds
STOPPED = "the run was stopped"


@dataclass
class Budget:
    """Of one scenario. `most`: bytes that all places may take together; None: what is free in `folder`."""

    folder: Path
    within: timedelta
    most: int | None = None
    _begin: int = field(default_factory=clock.mono)
    _taken: int = 0
    _stopped: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        free = shutil.disk_usage(self.folder).free
        self._all = free if self.most is None else min(free, self.most)

    @property
    def left(self) -> timedelta:
        """Of the time; zero where it is over."""
        return max(timedelta(0), self.within - clock.since(self._begin))

    def stop(self) -> None:
        """Nothing is begun any more, and who waits for room waits no longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        return self._stopped

    @property
    def full(self) -> bool:
        """Whether the disk under all places has no room any more."""
        return shutil.disk_usage(self.folder).free < LITTLE

    def must_go_on(self) -> timedelta:
        """The time that is left. Errors: `NotInTime` where none is, or all of it was stopped."""
        if self._stopped:
            raise NotInTime(STOPPED, hint="run it again")
        if not (left := self.left):
            raise NotInTime(self.over, hint="give them more: backups: within")
        return left

    @property
    def over(self) -> str:
        """That no time is left, in words."""
        return f"the time for all restores is over: {self.within.total_seconds():g} s"

    @contextmanager
    def room(self, size: int) -> Iterator[int]:
        """Twice the size, kept until the end; other restores are waited for. Gives how much.

        Errors: `Unable` where there is not so much, `NotInTime`.
        """
        needed = max(size * TIMES, LEAST)
        with self._changed:
            if needed > self._all:
                raise Unable(
                    f"it takes {measured(needed)}, twice its size, and {measured(self._all)} may be used",
                    hint=f"free some in {self.folder}, or name another folder: backups: folder, room",
                )
            while self.must_go_on() and self._taken + needed > self._all:
                self._changed.wait(POLL)
            self._taken += needed
        try:
            yield needed
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()
