"""What is looked at in a restored database. Each look says a figure or words: never a row of the data.

log.py        what tools and the server said: skipped, ignored, wrong
pages.py      every page (checksums) and what holds them together (amcheck)
structure.py  what there is, and whether it can be used;  sequences.py  and libraries.py  have its longer looks
rows.py       what has to be true of the rows, by the stack file or by the project's books
heartbeat.py  the numbered rows that a tiny job writes
reached.py    how far the recovery came, on both sides of a point
identity.py   whose backup it is
original.py   that the original is untouched and out of reach
proposed.py   checks of rows that somebody may begin with
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg

Connect = Callable[[str], Any]  # the database's name, to a psycopg connection as superuser, autocommit

MARK = "/* drdrill looks */ "  # before every statement of ours: the server's log is read without their errors
MOST = 3  # names that are said of a longer list

# Classes of SQLSTATE whose messages name objects, files and settings; those of others may hold values of rows.
_WITHOUT_VALUES = ("08", "0A", "25", "28", "3D", "42", "53", "54", "55", "57", "58", "XX")


def listed(names: Sequence[str], none: str = "none") -> str:
    """`"none"`; `"2: a, b"`; `"9: a, b, c, …"`."""
    if not names:
        return none
    return f"{len(names)}: {', '.join(names[:MOST])}{', …' if len(names) > MOST else ''}"


def why(error: psycopg.Error) -> str:
    """What the server said, in one line; only the kind of error where the message may hold a value of a row."""
    if error.sqlstate is None:
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    message = (error.diag.message_primary or "").splitlines()
    if message and error.sqlstate.startswith(_WITHOUT_VALUES):
        return f"{type(error).__name__}: {message[0][:300]}"
    return f"{type(error).__name__} (SQLSTATE {error.sqlstate})"


@contextmanager
def asking(connect: Connect, database: str, within: timedelta) -> Iterator[Any]:
    """A connection whose statements end after `within`. Errors: `psycopg.Error`."""
    with connect(database) as connection:
        limit(connection, within)
        yield connection


def limit(connection: Any, within: timedelta) -> None:
    """From now on no statement runs for longer. Errors: `psycopg.Error`."""
    milliseconds = max(1, round(within.total_seconds() * 1000))
    connection.execute(f"{MARK}SELECT set_config('statement_timeout', %s, false)", [str(milliseconds)])


def column(connection: Any, sql: str) -> list[str]:
    """The first column as text. Errors: `psycopg.Error`."""
    return [str(row[0]) for row in connection.execute(MARK + sql).fetchall()]
