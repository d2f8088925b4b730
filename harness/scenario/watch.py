"""A look that is repeated in a thread of its own, from its begin to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

ENDS_WITHIN = 30.0  # seconds; for the look under way


class Watch:
    """`look` raises nothing; `tell` is called once more at the end."""

    def __init__(self, look: Callable[[], object], *, tell: Callable[[], object], every: timedelta, name: str) -> None:
        self._look = look
        self._tell = tell
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop looking. Waits for the look under way. Harmless when repeated."""
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=ENDS_WITHIN)

    def _loop(self) -> None:
        while not self._done.wait(self._every.total_seconds()):
            self._look()
        self._tell()
