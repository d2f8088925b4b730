"""Looks at a database that has to be proved sound: what counts as sound, and what never does."""

from __future__ import annotations

from typing import Any, cast

import psycopg
import pytest

from drills.reconciliation import PLACE
from harness.errors import DrillError
from harness.procedures.looks import AS_BEFORE, BOOKS, PAGES, STRUCTURE, Look, NotSound, not_sound, sound, taken
from harness.procedures.reconciliation import ReconciledState, Reconciliation, unlike

BEFORE = ReconciledState(last=7, position="0/180", history=1, values={}, size={})


def raises(error: Exception) -> str:
    raise error


def test_what_cannot_be_looked_at_is_not_sound() -> None:
    """Whatever says so: a procedure, or the database's driver with its first line; a bug of ours is no look."""
    looks = [
        taken(PAGES, lambda: "every checksum is right"),
        taken(STRUCTURE, lambda: raises(DrillError("no amcheck", hint="install it"))),
        taken(BOOKS, lambda: raises(psycopg.errors.DataCorrupted("invalid page in block 7\nCONTEXT: a scan"))),
    ]
    assert looks[0] == Look(PAGES, True, "every checksum is right")
    assert not_sound(looks) == ["tables and indexes: no amcheck", "books: invalid page in block 7"]
    with pytest.raises(AssertionError):
        taken(BOOKS, lambda: raises(AssertionError()))


def test_books_are_sound_where_nothing_is_wrong_with_them() -> None:
    """By themselves, and against the last check; both are asked, and up to that check."""

    class Books:
        def discrepancies(self, source: str) -> list[str]:
            return ["an account does not add up"] if source == "broken" else []

        def check(self, source: str, *, last: int | None = None) -> str:
            assert last == BEFORE.last
            return source

        def differences(self, before: ReconciledState, found: str) -> list[str]:
            return ["the sum is another"] if found != "sound" else []

    books: Any = cast(Reconciliation, Books())
    assert sound(unlike(books, "sound", BEFORE)) == AS_BEFORE
    assert unlike(books, "altered", BEFORE) == ["the sum is another"]
    with pytest.raises(NotSound, match="an account does not add up; the sum is another"):
        sound(unlike(books, "broken", BEFORE))


def test_a_copy_is_not_asked_where_it_writes() -> None:
    """PostgreSQL raises an error for that on a server that follows another."""
    assert PLACE.count("pg_is_in_recovery()") == 2 and PLACE.count("ELSE pg_") == PLACE.count("pg_current_wal_lsn") == 2
