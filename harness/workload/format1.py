"""Ledgers and rows of format 1, which knew one platform: a payment between two accounts. They are read for good."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

VERSION = 1
MOST_DIGITS = 30  # of an amount before its point

# Two amounts that differ in form alone (12.5, 12.50) are one amount here, so what is compared is no text.
Payment = tuple[int, int, Decimal]


def sent(fact: dict[str, Any]) -> tuple[Payment, Decimal]:
    """What a `sent` line says. Errors: KeyError, TypeError, `InvalidOperation`."""
    source, target = fact["from"], fact["to"]
    if type(source) is not int or type(target) is not int:
        raise TypeError("from and to are whole numbers")
    amount = Decimal(fact["amount"])
    if not amount.is_finite() or amount.adjusted() > MOST_DIGITS:
        raise InvalidOperation
    return (source, target, amount), amount


def row(fact: dict[str, Any]) -> tuple[Payment, Decimal]:
    """What a row says. Errors: KeyError, TypeError, ValueError, `InvalidOperation`."""
    amount = Decimal(fact["amount"])
    return (fact["from"], fact["to"], amount), amount


def unknown(event: object) -> None:
    """Errors: ValueError; the events of this format are all known."""
    raise ValueError(f"unknown event {event!r}")


def group(header: dict[str, Any]) -> str:
    """Whose a ledger is."""
    return str(header["zone"])


def history(fact: dict[str, Any]) -> int | None:
    """Of an acknowledged line."""
    found = fact.get("tl")
    if found is not None and type(found) is not int:
        raise TypeError("tl is a whole number")
    return found
