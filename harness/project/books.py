"""Books that are plain data: a file of queries, each of which gives a number, and what that has to be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

from harness.checks import Outcome, reconciliation
from harness.checks.reconciliation import ANY, Rule
from harness.errors import DrillError, Unable
from harness.plan import shape, text
from harness.plan.shape import Formats
from harness.procedures.reconciliation import ReconciledState, Salvaged, Values
from harness.workload.plain.draws import number_of
from harness.workload.plain.query import ANYTHING, Query, wrong_with
from harness.workload.plain.templates import plain

AS_BEFORE = "as before"
HINT = "docs/projects.md says what a file of books has"


@dataclass(frozen=True)
class Book:
    """One query, and the rule for what it gives. `least`: the constant that the rule compares with; None: none."""

    query: Query
    rule: Rule
    least: Decimal | None = None


@dataclass(frozen=True)
class PlainBooks:
    """Fills `harness.procedures.reconciliation.Books`. `prefix`: of the keys of what drills write."""

    path: Path
    books: Mapping[str, Book]
    prefix: str = ANYTHING

    def marked(self, run: str) -> PlainBooks:
        """What that run has written can be told from all else: `NOT LIKE ${prefix}`."""
        return replace(self, prefix=f"{run}/{ANYTHING}")

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        return tuple(book.rule.said() for book in self.books.values())

    def check(self, source: Any, *, last: int | None = None) -> ReconciledState:
        """Each query by itself: no two are of one moment while somebody writes. `last` says nothing here: what comes
        after a check a query has to leave out itself."""
        values: Values = {}
        for name, book in self.books.items():
            values[name] = plain(self._ask(source, name, book))
            if book.least is not None:
                values[book.rule.than] = plain(book.least)
        return ReconciledState(last=0, position="", history=0, values=values, size={})

    def discrepancies(self, source: Any) -> list[str]:
        """Of those that need no check before: what is to be 0, or at least so much."""
        alone = {name: book for name, book in self.books.items() if book.rule.rule == "zero" or book.least is not None}
        found = replace(self, books=alone).check(source) if alone else None
        return self._wrong(alone, found.values, found.values) if found else []

    def differences(self, before: ReconciledState, found: ReconciledState) -> list[str]:
        return self._wrong(self.books, before.values, found.values)

    def salvage(self, damaged: Any, restored: Any, *, since: datetime) -> Salvaged:
        """Errors: `Unable`."""
        raise Unable(
            f"{self.path}: books that are queries carry nothing over", hint="that takes a Reconciliation in Python"
        )

    def _wrong(self, books: Mapping[str, Book], before: Values, after: Values) -> list[str]:
        rules = [book.rule for book in books.values()]
        compared = reconciliation.compare(rules, before, after)
        return [each.why for each in compared if each.outcome is not Outcome.MET]

    def _ask(self, source: Any, name: str, book: Book) -> Decimal:
        """Errors: `DrillError` where it gives no number."""
        row = book.query.run(source, self.prefix).fetchone()
        given = next(iter(row.values()) if isinstance(row, Mapping) else iter(row), None) if row else None
        if (number := number_of(given)) is None:
            what = "nothing" if row is None or given is None else f"{given!r}"
            raise DrillError(f"{self.path}: {name}: the query gives {what}, and no number", hint=HINT)
        return number


def load(path: Path) -> PlainBooks:
    """Errors: `Refused`, with every problem of the file in one message."""
    read = text.read(path)
    schema = json.loads(resources.files("harness.project").joinpath("books.json").read_text(encoding="utf-8"))
    shape.check(read, schema, of="a book", formats=FORMATS)
    if not read.problems:
        _examine(read)
    if read.problems:
        raise text.refuse(read.path, read.problems)
    return PlainBooks(path, {name: _book(name, given) for name, given in read.values["books"].items()})


def _examine(read: text.Text) -> None:
    for name, given in read.values["books"].items():
        where = ("books", name)
        if ("is" in given) == ("at least" in given):
            hint = "say is: 0, is: as before, at least: 1, or at least: as before"
            read.problem(where, "has to say what it is, or at least is", hint=hint)
        if wrong := wrong_with(given["sql"], must=False):
            what, hint = wrong
            read.problem((*where, "sql"), what, hint=hint)


def _book(name: str, given: Mapping[str, str]) -> Book:
    query, least = Query(given["sql"]), given.get("at least", AS_BEFORE)
    if "is" in given:
        return Book(query, Rule("equal" if given["is"] == AS_BEFORE else "zero", name, name))
    if least == AS_BEFORE:
        return Book(query, Rule("not_behind", name, name))
    return Book(query, Rule("not_behind", name, name, than=f"{name}, at least"), Decimal(least))


def _name(given: str) -> None:
    if not given.strip() or ANY in given:
        raise ValueError(f'"{given}" is not the name of a book')


def _least(given: str) -> None:
    if given != AS_BEFORE and number_of(given) is None:
        raise ValueError(f'"{given}" is not a number')


FORMATS: Formats = {
    "book": (_name, f"say in words what it is, without a {ANY}"),
    "least": (_least, f"write a number, or: {AS_BEFORE}"),
}
