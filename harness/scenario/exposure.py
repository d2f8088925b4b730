"""How far behind its writes the archive is, or a second region, looked at twice a second all through a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Positioned, Positions
from harness.system import clock
from harness.system.recorder import Recorder

LOOKS = timedelta(milliseconds=500)


class ExposureSampler:
    """A thread that records `exposure.sample` while the database answers, and nothing while it does not.

    The judge computes the figure from the samples; what this class computes is for waiting and watching only.
    """

    def __init__(self, stack: Stack, recorder: Recorder, *, of: str, safe: Callable[[], int]) -> None:
        """`safe`: up to which position all is safe, in the archive or in what else it is `of`."""
        self.stack = stack
        self.recorder = recorder
        self._of = of
        self._safe = safe
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="exposure", daemon=True)
        self._positions: Positions | None = None
        self._samples: list[tuple[int, int]] = []  # mono, position of the database
        self._archived = 0
        self._steps: list[int] = []  # how far the archive reached each time it had moved on

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop looking. Waits for the look under way."""
        self._done.set()
        self._thread.join(timeout=10)

    def now(self) -> int:
        """Where the database stood at the last look, as a number; 0 where there was none."""
        return self._samples[-1][1] if self._samples else 0

    def cycles(self, *, beyond: int) -> int:
        """How often the archive has moved on to a point at or behind a position of the database."""
        return sum(step >= beyond for step in list(self._steps))

    def open_age(self) -> timedelta:
        """For how long the oldest write that is not archived has waited, about."""
        waiting = next((mono for mono, at in list(self._samples) if at > self._archived), None)
        return clock.since(waiting) if waiting is not None else timedelta(0)

    def words(self) -> str:
        waits = self.open_age().total_seconds()
        return f"the archive moved on {len(self._steps)} times, the oldest write waits {waits:.1f} s"

    def _loop(self) -> None:
        while not self._done.wait(LOOKS.total_seconds()):
            try:
                self._look()
            except Exception:  # the database or the store is away: no sample is the truth, and the judge sees the gap
                self._drop()
        self._drop()

    def _look(self) -> None:
        asked = clock.mono()
        safe = self._safe()
        self._positions = self._positions or need(self.stack, Positioned).positions()
        now = self._positions.now()
        self.recorder.record("exposure.sample", position=now, safe=safe, of=self._of, asked=asked)
        self._samples.append((clock.mono(), now))
        if safe > self._archived:
            self._archived = safe
            self._steps.append(self._archived)

    def _drop(self) -> None:
        if self._positions is not None:
            self._positions.close()
