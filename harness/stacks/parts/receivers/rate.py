"""How often a service takes a message: so many at once, and then one every so often."""

from __future__ import annotations

import threading
from datetime import timedelta

from harness.system import clock


class Rate:
    """`burst` messages at once, and one more after each `every`."""

    def __init__(self, burst: int, every: timedelta) -> None:
        self._burst, self._every = burst, every
        self._lock = threading.Lock()
        self._left, self._since = float(burst), clock.mono()

    def wait(self) -> timedelta:
        """Nothing where one more may come now, which it then has; else how long until one may."""
        with self._lock:
            now = clock.mono()
            gained = timedelta(microseconds=(now - self._since) / 1000) / self._every
            self._left, self._since = min(self._burst, self._left + gained), now
            if self._left >= 1:
                self._left -= 1
                return timedelta()
            return (1 - self._left) * self._every


def limited() -> Rate:
    """Of a service that has trouble."""
    return Rate(1, timedelta(seconds=2))
