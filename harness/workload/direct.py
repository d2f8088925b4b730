"""Directly to one database server, past the platform's API: what a customer inside a zone can do that is cut off."""

from __future__ import annotations

from collections.abc import Callable

import gevent

from harness.system import clock
from harness.workload.client import Message
from harness.workload.connection import Judge, RequestResult, result


class DirectConnection:
    """As `Connection`, with a database behind it that `store` knows. Shared by the customers of a group."""

    def __init__(self, store: Callable[[Message], tuple[int, bytes]], judge: Judge) -> None:
        self._store = store
        self._judge = judge

    def send(self, message: Message, *, until: int) -> RequestResult:
        """Store one transaction, and wait for the commit `until` that reading of the monotonic clock. Never raises."""
        left = (until - clock.mono()) / 1e9
        if left <= 0:
            return RequestResult("failed", clock.mono(), "never left: its time was up before it could be sent")
        limit = gevent.Timeout(left)
        try:
            with limit:
                status, said = self._store(message)
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            return RequestResult("in_doubt", clock.mono(), "time-out")
        return result(status, said, self._judge)
