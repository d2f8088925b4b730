"""What has to be true of the rows: SQL of the stack file that gives one number, or the books of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from harness.errors import DrillError
from harness.project.books import PlainBooks
from harness.restores import Look
from harness.restores.described import RowCheck
from harness.restores.proof import MARK, Connect, limit, why

WITHIN = timedelta(minutes=10)  # one check
NOTHING = "nothing says what its rows have to be"


def rows(connect: Connect, checks: Sequence[RowCheck], *, first: str, within: timedelta = WITHIN) -> list[Look]:
    """`first`: the database of a check that names none; `within`: of one check."""
    if not checks:
        return [Look("rows", "rows", None, NOTHING)]
    return [_row(connect, check, check.database or first, within) for check in checks]


def _row(connect: Connect, check: RowCheck, database: str, within: timedelta) -> Look:
    def look(ok: bool | None, seen: str, figure: float | None = None) -> Look:
        return Look("rows", check.name, ok, seen, text=check.sql, expected=check.expected, figure=figure)

    if not check.expected:
        return look(None, "expects nothing")
    try:
        with connect(database) as connection:
            found = _answers(connection, check.sql, within)
    except psycopg.Error as error:
        return look(False, f"no answer: {why(error)}")
    if len(found) != 1 or len(found[0]) != 1:
        return look(False, _shape(found))
    number = _number(found[0][0])
    if number is None:
        return look(False, "nothing (NULL)" if found[0][0] is None else f"no number: {type(found[0][0]).__name__}")
    if not isfinite(float(number)):  # no figure can hold it
        return look(False, "too large a number")
    low = check.least is not None and number < check.least
    high = check.most is not None and number > check.most
    return look(not (low or high), f"{number}", float(number))


def _answers(connection: Any, sql: str, within: timedelta) -> list[tuple[Any, ...]]:
    """At most two rows. One statement alone, and it writes nothing. Errors: `psycopg.Error`."""
    limit(connection, within)
    with connection.transaction(force_rollback=True):
        connection.execute(f"{MARK}SET TRANSACTION READ ONLY")
        cursor = connection.cursor(row_factory=tuple_row)
        found: list[tuple[Any, ...]] = []
        for row in cursor.stream(MARK + sql):
            found.append(row)
            if len(found) > 1:
                break
        return found


def _shape(found: Sequence[tuple[Any, ...]]) -> str:
    if not found:
        return "no row"
    return f"{len(found[0])} columns" if len(found[0]) != 1 else "more than one row"


def _number(given: Any) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        return None
    number = Decimal(given) if not isinstance(given, float) else Decimal(str(given))
    return number if number.is_finite() else None


def books(connect: Connect, given: PlainBooks | Any, *, database: str, within: timedelta = WITHIN) -> list[Look]:
    """The books of the project, or whatever has its `discrepancies`: those that need nothing from before."""
    asked = partial(_book, connect, database=database, within=within)
    if not isinstance(given, PlainBooks):
        return [asked(given, "the project's books")]
    alone = {name: book for name, book in given.books.items() if book.rule.rule == "zero" or book.least is not None}
    if not alone:
        return [Look("rows", "books", None, "each book compares with what was there before: there is no before")]
    return [
        asked(replace(given, books={name: book}), f"book {name}", text=book.query.sql,
              expected="exactly 0" if book.least is None else f"at least {book.least}")
        for name, book in alone.items()
    ]  # fmt: skip  # arguments in groups


def _book(
    connect: Connect, given: Any, name: str, *, database: str, within: timedelta, text: str = "", expected: str = ""
) -> Look:
    def look(ok: bool, seen: str, figure: float | None = None) -> Look:
        return Look("rows", name, ok, seen, text=text, expected=expected, figure=figure)

    try:
        with connect(database) as connection:
            limit(connection, within)
            connection.execute(f"{MARK}SET default_transaction_read_only = on")
            wrong = list(given.discrepancies(connection))
    except psycopg.Error as error:
        return look(False, f"no answer: {why(error)}")
    except DrillError:  # its message has what the query gave, which may be of a row
        return look(False, "no number")
    return look(not wrong, f"{len(wrong)}: {wrong[0]}" if wrong else "as it has to be", float(len(wrong)))
