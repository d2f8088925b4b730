"""The API's connections to whichever database server takes writes now.

No pool of the shelf: those wait longer and longer between attempts while the database is away, and then a recovery
would look slower than it is.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import psycopg
from gevent.lock import BoundedSemaphore

MOST = 12  # connections
CONNECT_LIMIT = 2.5  # seconds, over all servers
STATEMENT_LIMIT = 4000  # milliseconds; customers wait 5 s

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


class NoDatabase(Exception):
    """No server that takes writes can be reached: nothing was sent."""


class Connections:
    """Connections that are kept while they work. At the first error all idle ones are dropped with it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: list[Connection] = []
        self._free = BoundedSemaphore(MOST)

    @contextmanager
    def use(self) -> Iterator[Connection]:
        """A connection for one transaction. One on which anything went wrong is closed.

        Errors: `NoDatabase`, before anything was sent.
        """
        if not self._free.acquire(timeout=CONNECT_LIMIT):
            raise NoDatabase(f"all {MOST} connections are busy")
        try:
            connection = self._take()
            good = False
            try:
                yield connection
                good = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            finally:
                if good:
                    self._idle.append(connection)
                else:
                    connection.close()
                    self._drop_idle()
        finally:
            self._free.release()

    def ask_writable(self) -> None:
        """A real question on one connection. Errors: `NoDatabase`."""
        try:
            with self.use() as connection:
                row = connection.execute(
                    "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::bool"
                ).fetchone()
                connection.rollback()
        except psycopg.Error as error:
            raise NoDatabase(_said(error)) from None
        if row is None or not row[0]:
            raise NoDatabase("the database takes no writes")

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and not _has_news(connection):
                return connection
            connection.close()
        try:
            with gevent.Timeout(CONNECT_LIMIT, NoDatabase(f"no server within {CONNECT_LIMIT:g} s")):
                return psycopg.connect(
                    self._dsn, target_session_attrs="read-write", options=f"-c statement_timeout={STATEMENT_LIMIT}"
                )
        except psycopg.Error as error:
            raise NoDatabase(_said(error)) from None

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _has_news(connection: Connection) -> bool:
    """Whether the server has said something unasked: that it ends, as a rule."""
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    return bool(readable)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
