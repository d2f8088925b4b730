"""When customers are told again: every so often on the incident's clock, until it is resolved.

`Updates` only says what is due, by whatever clock it is given; `Ticking` asks it in a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from harness.communications.pace import Pace
from harness.errors import quietly
from harness.system import clock
from harness.system.recorder import Recorder


@dataclass(frozen=True)
class Due:
    """An update to be sent now. `number` from 1; `at`: when it was due, `late`: how late it is, both of the incident's
    clock; `skipped`: how many before it were due too, and never told: one is enough."""

    number: int
    at: timedelta
    late: timedelta
    skipped: int


class Updates:
    """`every`: of the incident's clock, which `pace` compresses. `now`: nanoseconds of a clock that only grows."""

    def __init__(self, every: timedelta, *, pace: Pace, now: Callable[[], int] = clock.mono) -> None:
        self.every = every
        self.pace = pace
        self._now = now
        self._begun = now()
        self._told = 0

    def passed(self) -> timedelta:
        """How long the incident has lasted, by its own clock."""
        return self.pace.planned(timedelta(microseconds=(self._now() - self._begun) / 1000))

    def due(self) -> Due | None:
        """What is to be told now; None where nothing is. What was said to be due once is not said again."""
        passed = self.passed()
        number = passed // self.every
        if number <= self._told:
            return None
        skipped = number - self._told - 1
        self._told = number
        return Due(number, number * self.every, passed - number * self.every, skipped)

    def next_in(self) -> timedelta:
        """In which real time the next one is due; nothing where one is due now."""
        return max(timedelta(), self.pace.real((self._told + 1) * self.every - self.passed()))


class Ticking:
    """Tells each update when it is due, until `stop`. `tell` must return at once, as `Sender.send` does."""

    def __init__(self, updates: Updates, tell: Callable[[Due], None], *, recorder: Recorder) -> None:
        self._updates, self._tell, self._recorder = updates, tell, recorder
        self._ended = threading.Event()
        self._told = self._skipped = 0
        every, ratio = updates.every.total_seconds(), updates.pace.ratio
        recorder.record("updates.begin", every=every, ratio=ratio)
        self._thread = threading.Thread(target=self._run, name="updates", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No update is told after this. Once is enough; twice does no harm."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        passed, ratio = self._updates.passed().total_seconds(), self._updates.pace.ratio
        self._recorder.record("updates.end", told=self._told, skipped=self._skipped, passed=passed, ratio=ratio)

    def _run(self) -> None:
        while not self._ended.wait(self._updates.next_in().total_seconds()):
            due = self._updates.due()
            if due:
                self._told += 1
                self._skipped += due.skipped
                if why := quietly(partial(self._tell, due)):
                    self._recorder.record("updates.failed", number=due.number, why=why)
