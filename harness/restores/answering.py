"""Whether the server of a place answers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import psycopg

from harness.restores import Place
from harness.system import wait
from harness.system.recorder import Memory

STARTS = timedelta(seconds=60)  # a server without anything to recover


def takes_writes(place: Place) -> bool:
    """Whether it answers, and recovers no more."""
    try:
        with place.connect() as connection:
            row = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and bool(row[0])


def await_answer(place: Place, what: str) -> None:
    """Of one that has nothing to recover. Errors: `NotInTime`."""
    wait.until(partial(takes_writes, place), what=what, within=STARTS, recorder=Memory(), hint=f"read {place.log}")
