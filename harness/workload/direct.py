"""Directly to one database server, past the platform's API: what a customer inside a zone can do that is cut off."""

from __future__ import annotations

from collections.abc import Callable

import gevent

from harness.system import clock
from harness.workload.client import Message
from harness.workload.connection import Reply, never_left


class DirectConnection:
    """As `Connection`, with a database behind it that `store` knows. Shared by the customers of a group."""

    def __init__(self, store: Callable[[Message], tuple[int, bytes]]) -> None:
        self._store = store

    def send(self, message: Message, *, until: int) -> Reply:
        """Store one transaction, and wait for the commit `until` that reading of the monotonic clock. Never raises."""
        left = (until - clock.mono()) / 1e9
        if left <= 0:
            return never_left("its time was up before it could be sent")
        limit = gevent.Timeout(left)
        try:
            with limit:
                status, said = self._store(message)
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            return Reply(clock.mono(), why="time-out")
        return Reply(clock.mono(), status, said)
