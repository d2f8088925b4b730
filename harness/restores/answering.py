"""Whether the server of a place answers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import psycopg

from harness.errors import DrillError
from harness.restores import Place
from harness.system import clock, wait
from harness.system.recorder import Memory

STARTS = timedelta(seconds=60)  # a server without anything to recover
NOT_YET = "the database system is "  # starting up, shutting down, not yet accepting connections
PATIENCE = timedelta(seconds=15)


def takes_writes(place: Place) -> bool:
    """Whether it answers, and recovers no more."""
    return Asked(place).takes_writes()


class Asked:
    """A server that is asked again and again. One that runs and lets nobody in for long never will: it is damaged."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._refused: int | None = None  # since when

    def takes_writes(self) -> bool:
        """Errors: `DrillError` with the server's words where it lets nobody in."""
        try:
            with self._place.connect() as connection:
                row = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()
        except psycopg.OperationalError as error:
            self._look_at(str(error))
            return False
        self._refused = None
        return row is not None and bool(row[0])

    def _look_at(self, said: str) -> None:
        fatal = said.rpartition("FATAL:")[2].strip().splitlines() if "FATAL:" in said else []
        if not fatal or fatal[0].startswith(NOT_YET):
            self._refused = None
            return
        if self._refused is None:
            self._refused = clock.mono()
        if clock.since(self._refused) >= PATIENCE:
            raise DrillError(f"the restored database lets nobody in: {fatal[0]}", hint=f"read {self._place.log}")


def await_answer(place: Place, what: str) -> None:
    """Of one that has nothing to recover. Errors: `NotInTime`."""
    wait.until(partial(takes_writes, place), what=what, within=STARTS, recorder=Memory(), hint=f"read {place.log}")
