"""The ledger under many customers at once: lines of one moment go to disk together.

The disk is waited for in a thread of its own, so that a slow one makes requests late (which the ledger shows), but
never stops the clock of those that wait for an answer.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent.event import AsyncResult, Event

from harness.workload.ledger import LedgerLost, Writer


class GroupCommit:
    """Takes lines from greenlets; what `add` returns is set once the line is on disk."""

    def __init__(self, writer: Writer, *, on_lost: Callable[[], None]) -> None:
        self.lost: LedgerLost | None = None  # why nothing can be written any more
        self._writer = writer
        self._on_lost = on_lost
        self._lines: list[str] = []
        self._done = AsyncResult()
        self._wake = Event()
        self._closing = False
        self._greenlet = gevent.spawn(self._run)

    def add(self, line: str) -> AsyncResult:
        """Hand over one line. `get()` of the result returns once it is durable, or raises `LedgerLost`."""
        self._lines.append(line)
        self._wake.set()
        return self._done

    def close(self) -> None:
        """Write what is left. Errors: `LedgerLost`, when any line was lost."""
        self._closing = True
        self._wake.set()
        self._greenlet.join()
        if self.lost:
            raise self.lost
        self._writer.close()

    def _run(self) -> None:
        threads = gevent.get_hub().threadpool
        while self._lines or not self._closing:
            self._wake.wait()
            self._wake.clear()
            if not self._lines:
                continue
            lines, done = self._lines, self._done
            self._lines, self._done = [], AsyncResult()
            self.lost = threads.apply(self._write, (lines,))
            if self.lost:
                done.set_exception(self.lost)
                self._done.set_exception(self.lost)  # and so for every line that is still handed over
                self._on_lost()
                return
            done.set()

    def _write(self, lines: list[str]) -> LedgerLost | None:
        """Returns its error, since gevent prints what a thread raises."""
        try:
            self._writer.write(lines)
        except LedgerLost as error:
            return error
        return None
