"""The API's connections to whichever database server takes writes now.

No pool of the shelf: those wait longer and longer between attempts while the database is away, and then a recovery
would look slower than it is. Nor one connection attempt with several hosts: it asks one after the other, and a server
that has lost its power keeps it from the one behind. And a server that takes no writes is asked again on the same
connection: where all of a region follow for minutes, new ones for each request would cost more than all else there.
"""

from __future__ import annotations

import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gevent
import psycopg
import psycopg.conninfo
from gevent.lock import BoundedSemaphore

MOST = 12  # connections
CONNECT_LIMIT = 2.5  # seconds, for all servers, which are asked at once
STATEMENT_LIMIT = 4000  # milliseconds; customers wait 5 s
READ_ONLY = "the database takes no writes"

TAKES_WRITES = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::bool"

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


class NoDatabase(Exception):
    """No server that takes writes can be reached: nothing was sent."""


class Connections:
    """Connections that are kept while they work. At the first error all idle ones are dropped with it."""

    def __init__(self, dsn: str) -> None:
        """`dsn` may name several hosts of one port."""
        given: dict[str, Any] = dict(psycopg.conninfo.conninfo_to_dict(dsn))
        self._servers = [psycopg.conninfo.make_conninfo(**{**given, "host": host}) for host in _hosts(given)]
        self._idle: list[Connection] = []
        self._follow: dict[str, Connection] = {}  # one to each server that took no writes when it was asked last
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
                    self.close()
        finally:
            self._free.release()

    def ask_writable(self) -> None:
        """A real question on one connection. Errors: `NoDatabase`."""
        try:
            with self.use() as connection:
                writes = _takes_writes(connection)
        except psycopg.Error as error:
            raise NoDatabase(_said(error)) from None
        if not writes:
            raise NoDatabase(READ_ONLY)

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and not _has_news(connection):
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> Connection:
        """To the first server that takes writes, all asked at once. Errors: `NoDatabase`, with what each said."""
        asked = [gevent.spawn(self._ask, server) for server in self._servers]
        said = []
        try:
            for one in gevent.iwait(asked, timeout=CONNECT_LIMIT):
                if isinstance(one.value, psycopg.Connection):
                    asked.remove(one)
                    return one.value
                said.append(str(one.value))
        finally:
            for late in asked:
                late.kill(block=False)
                if isinstance(late.value, psycopg.Connection):  # two servers take writes: this one is not used
                    late.value.close()
        said += [f"no answer within {CONNECT_LIMIT:g} s"] * (len(asked) - len(said))
        raise NoDatabase("; ".join(dict.fromkeys(said)))

    def _ask(self, server: str) -> Connection | str:
        """A connection to it on which writes are taken, or what was said instead."""
        connection = self._follow.pop(server, None)
        asked = False
        try:
            if connection is not None and (connection.closed or _has_news(connection)):
                connection.close()
                connection = None
            if connection is None:
                connection = psycopg.connect(server, options=f"-c statement_timeout={STATEMENT_LIMIT}")
            writes = _takes_writes(connection)
            asked = True
        except psycopg.Error as error:
            return _said(error)
        finally:  # also where nobody waited for the answer any more
            if connection is not None and not asked:
                connection.close()
        if writes:
            return connection
        if server in self._follow:
            connection.close()
        else:
            self._follow[server] = connection
        return READ_ONLY

    def close(self) -> None:
        """Those that nobody uses."""
        while self._idle:
            self._idle.pop().close()


def _hosts(given: Mapping[str, Any]) -> list[str]:
    return str(given.get("host", "")).split(",")


def _takes_writes(connection: Connection) -> bool:
    row = connection.execute(TAKES_WRITES).fetchone()
    connection.rollback()
    return bool(row and row[0])


def _has_news(connection: Connection) -> bool:
    """Whether the server has said something unasked: that it ends, as a rule."""
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    return bool(readable)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
