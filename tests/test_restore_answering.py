"""A restored server that runs and lets nobody in is damaged: it is not waited for until all of the time is gone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.errors import DrillError
from harness.restores import answering
from harness.restores.answering import Asked


class Refusing:
    """A place whose server says no."""

    log = Path("server.log")

    def __init__(self, *said: str) -> None:
        self.said = list(said)

    def connect(self) -> Any:
        raise psycopg.OperationalError(self.said.pop(0))


def asked(*said: str) -> list[bool]:
    place: Any = Refusing(*said)
    server = Asked(place)
    return [server.takes_writes() for _ in said]


def test_one_that_recovers_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one whose socket file is not there yet."""
    monkeypatch.setattr(answering, "PATIENCE", timedelta(0))
    assert asked("connection failed: No such file", "FATAL:  the database system is starting up") == [False, False]


def test_one_that_lets_nobody_in_is_told_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own words."""
    gone = 'connection failed: FATAL:  database "postgres" does not exist\nDETAIL:  The subdirectory is missing.'
    assert asked(gone, gone) == [False, False]
    monkeypatch.setattr(answering, "PATIENCE", timedelta(0))
    with pytest.raises(DrillError, match='lets nobody in: database "postgres" does not exist'):
        asked(gone)
