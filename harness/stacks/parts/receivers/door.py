"""Has the port of a service open as long as that is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

LOOKS_EVERY = 0.05  # seconds between two looks at what is wanted


class Door:
    """`open_it` returns what closes it again. Errors: those of it, the first time."""

    def __init__(self, name: str, open_it: Callable[[], Callable[[], object]], *, wanted: Callable[[], bool]) -> None:
        self._open, self._wanted = open_it, wanted
        self.ended = threading.Event()
        self._close: Callable[[], object] | None = open_it()
        self._watching = threading.Thread(target=self._watch, name=f"{name}: its door", daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """Closed for good."""
        self.ended.set()
        self._watching.join()
        if self._close:
            self._close()
            self._close = None

    def _watch(self) -> None:
        while not self.ended.wait(LOOKS_EVERY):
            wanted = self._wanted()
            if not wanted and self._close:
                self._close()
                self._close = None
            elif wanted and self._close is None:
                with suppress(OSError):  # the port is not free yet: tried again with the next look
                    self._close = self._open()
