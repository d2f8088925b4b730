"""Books that are plain data: queries that give a number, and rules that the journal and every check understand."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import project
from harness.checks import Outcome, reconciliation
from harness.errors import DrillError, Refused, Unable
from harness.project import books
from tests.plain_clients import PAYDESK

BOOKS = """format: 1
books:
  payments without a wallet:
    sql: SELECT count(*) FROM payments WHERE wallet IS NULL
    is: 0
  sum of all others:
    sql: SELECT sum(amount) FROM payments WHERE key NOT LIKE ${prefix} AND wallet <> '100%'
    is: as before
  wallets:
    sql: SELECT count(DISTINCT wallet) FROM payments
    at least: 2
  payments:
    sql: SELECT count(*) FROM payments
    at least: as before
"""
RUN = "20260102-030405-abcd"


@pytest.fixture
def source() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE payments (key, wallet, amount)")
    made.executemany(
        "INSERT INTO payments VALUES (?, ?, ?)", [("a", "w1", 1.5), ("b", "w2", 2), (f"{RUN}/s/outside-1", "w1", 40)]
    )
    return made


@pytest.fixture
def made(tmp_path: Path) -> books.PlainBooks:
    (tmp_path / "books.yaml").write_text(BOOKS)
    return books.load(tmp_path / "books.yaml")


def test_each_book_is_a_value_and_a_rule_of_the_fixed_vocabulary(
    made: books.PlainBooks, source: sqlite3.Connection
) -> None:
    """Whole numbers and decimal text; what a run has written can be left out of the sum."""
    state = made.marked(RUN).check(source)
    assert state.values == {
        "payments without a wallet": 0, "sum of all others": "3.5", "wallets": 2, "wallets, at least": 2, "payments": 3,
    }  # fmt: skip  # a table
    assert made.marked("another").check(source).values["sum of all others"] == "43.5"
    rules = reconciliation.read(list(made.rules))
    assert [(rule.rule, rule.values, rule.than) for rule in rules] == [
        ("zero", "payments without a wallet", ""), ("equal", "sum of all others", ""),
        ("not_behind", "wallets", "wallets, at least"), ("not_behind", "payments", ""),
    ]  # fmt: skip  # a table
    compared = reconciliation.compare(rules, state.values, state.values)
    assert {each.outcome for each in compared} == {Outcome.MET} and made.discrepancies(source) == []


def test_what_does_not_add_up_by_itself_is_told_without_a_check_before(
    made: books.PlainBooks, source: sqlite3.Connection
) -> None:
    """And what only differs from before is told by a comparison alone."""
    before = made.marked(RUN).check(source)
    source.execute("UPDATE payments SET wallet = NULL WHERE key = 'b'")
    assert made.discrepancies(source) == [
        "payments without a wallet is 1, not 0", "wallets is 1, less than 2 (wallets, at least)",
    ]  # fmt: skip  # a list
    source.execute("DELETE FROM payments WHERE key = 'b'")
    found = made.differences(before, made.marked(RUN).check(source))
    assert found == [
        "sum of all others was 3.5, is 1.5", "wallets is 1, less than 2 (wallets, at least)",
        "payments is 2, less than 3 (before)",
    ]  # fmt: skip  # a list


@pytest.mark.parametrize("sql", ["SELECT 'many'", "SELECT NULL", "SELECT 1 WHERE 1 = 0"])
def test_a_query_that_gives_no_number_is_told(tmp_path: Path, source: sqlite3.Connection, sql: str) -> None:
    """By the name of the book: a figure that was not taken is none."""
    (tmp_path / "books.yaml").write_text(f"format: 1\nbooks:\n  odd:\n    sql: {sql}\n    is: 0\n")
    with pytest.raises(DrillError, match="odd: the query gives"):
        books.load(tmp_path / "books.yaml").check(source)


def test_nothing_is_carried_over_by_queries(made: books.PlainBooks) -> None:
    """A procedure that salvages is told so."""
    with pytest.raises(Unable, match="carry nothing over"):
        made.salvage(None, None, since=datetime.now(UTC))


WRONG = {
    "no rule": ("    is: 0\n", "", ":3: books.payments without a wallet: has to say what it is", "at least"),
    "two rules": (
        "    is: 0\n",
        "    is: 0\n    at least: 1\n",
        ":3: books.payments without a wallet: has to",
        "say is: 0",
    ),
    "no SQL": ("    sql: SELECT count(*) FROM payments\n", "", ":12: books.payments.sql: is missing", "sql"),
    "no number": ("at least: 2", "at least: two", ':11: books.wallets.at least: "two" is not a number', "as before"),
    "another word": ("is: as before", "is: unchanged", ':8: books.sum of all others.is: "unchanged" is not one', ""),
    "an unknown place": (
        "${prefix}",
        "${key}",
        ":7: books.sum of all others.sql: ${key} is not known",
        "${prefix} alone",
    ),
    "a star in a name": ("  wallets:", "  wallets*:", ':9: books.wallets*: "wallets*" is not the name', "in words"),
    "no book": (BOOKS.partition("books:")[2], " {}\n", ":2: books: holds nothing", "take the field out"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_file_is_told_with_line_field_and_hint(tmp_path: Path, what: str) -> None:
    """Before anything starts."""
    was, now, said, hint = WRONG[what]
    assert was in BOOKS
    (tmp_path / "books.yaml").write_text(BOOKS.replace(was, now, 1))
    with pytest.raises(Refused) as refused:
        books.load(tmp_path / "books.yaml")
    assert f"{tmp_path}/books.yaml{said}" in refused.value.message and hint in refused.value.hint


def test_the_books_of_a_project_are_those_of_its_file() -> None:
    """Read once, and by name; a project without a file has none."""
    desk = project.load(PAYDESK)
    assert desk.books is not None and desk.books is desk.books
    assert next(rule["values"] for rule in desk.books.rules) == "payments without a wallet"
    assert project.load(PAYDESK.parent / "notebook").books is None
