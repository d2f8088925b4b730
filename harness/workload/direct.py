"""Directly to one database server, past the platform's API: what a customer inside a zone can do while it is cut off.

It stores a transaction by the platform's own code, which knows what a commit may be called: one whose wait for
another zone was cancelled is in doubt, never acknowledged.
"""

from __future__ import annotations

import json

import gevent

from harness.stacks.stand_in.connections import Connections
from harness.stacks.stand_in.transactions import Transactions
from harness.system import clock
from harness.workload.connection import RequestResult, judge


class DirectConnection:
    """As `Connection`, with a database behind it. Shared by the customers of a group."""

    def __init__(self, dsn: str) -> None:
        self._transactions = Transactions(Connections(dsn))

    def post(self, path: str, body: bytes, *, until: int) -> RequestResult:
        """Store one transaction, and wait for the commit `until` that reading of the monotonic clock. Never raises."""
        left = (until - clock.mono()) / 1e9
        if left <= 0:
            return RequestResult("failed", clock.mono(), "never left: its time was up before it could be sent")
        limit = gevent.Timeout(left)
        try:
            with limit:
                status, said = self._transactions.store(body)
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            return RequestResult("in_doubt", clock.mono(), "time-out")
        return judge(status, json.dumps(said, default=str).encode())
