"""Sessions with a database server: read-only, and none that is waited for for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from harness.stacks.capabilities.database import Connection

SHORT = timedelta(seconds=2)  # for whoever only wants to know whether it answers
PATIENCE = timedelta(seconds=4)
LINK = {"keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 5000}


def connect(dsn: str, *, within: timedelta = PATIENCE) -> Connection:
    """Errors: `ConnectionError`, without the connection string; what the driver raises for what is asked then."""
    import psycopg  # noqa: PLC0415  (an extra: whoever attaches to no database does without)
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415  (the same)

    try:
        given = conninfo_to_dict(dsn)
        limit = max(2, round(within.total_seconds()))
        settings: dict[str, Any] = {"connect_timeout": limit, "client_encoding": "utf8", **LINK, **given}
        found: Connection = psycopg.connect(autocommit=True, **settings)
        found.execute("SET default_transaction_read_only = on")
    except psycopg.Error as error:
        raise ConnectionError(_first_line(error)) from None
    return found


def one(dsn: str, query: str, *, within: timedelta = PATIENCE) -> Any:
    """The first column of the first row; None where there is none. Errors: `ConnectionError`."""
    found = row(dsn, query, within=within)
    return found[0] if found else None


def row(dsn: str, query: str, *, within: timedelta = PATIENCE) -> tuple[Any, ...] | None:
    """The first row. Errors: `ConnectionError`."""
    import psycopg  # noqa: PLC0415  (see connect)

    opened: Any = connect(dsn, within=within)
    with opened, _ended_after(opened, within):
        try:
            found: tuple[Any, ...] | None = opened.execute(query).fetchone()
        except psycopg.Error as error:
            raise ConnectionError(_first_line(error)) from None
    return found


@contextmanager
def _ended_after(opened: Any, within: timedelta) -> Iterator[None]:
    """A server that is frozen in the middle of an answer says nothing more, and its kernel goes on to confirm."""

    def end() -> None:
        with suppress(OSError), socket.socket(fileno=socket.dup(opened.fileno())) as other:
            other.shutdown(socket.SHUT_RDWR)

    limit = threading.Timer(within.total_seconds(), end)
    limit.daemon = True
    limit.start()
    try:
        yield
    finally:
        limit.cancel()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
