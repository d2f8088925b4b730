"""What a customer draws for a transaction, and what the same is when it is read back: its payload, field by field."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, Protocol

LONGEST = 200  # letters of a drawn text
LARGEST = 2**53  # whole numbers beyond it are not the same in every JSON


class Draw(Protocol):
    """One field."""

    @property
    def number(self) -> bool:
        """Whether it is a number where it stands without quotes."""

    def draw(self, random: Random) -> Any:
        """A value, as a payload has it."""

    def read(self, found: Any) -> Any:
        """What a database, or an answer, has of it: the very value that was drawn, where it says the same."""


@dataclass(frozen=True)
class Money:
    """Decimal text with so many places, from `least` to `most`."""

    least: Decimal
    most: Decimal
    places: int
    number = True

    def draw(self, random: Random) -> str:
        low, high = (int(each.scaleb(self.places)) for each in (self.least, self.most))
        return str(Decimal(random.randint(low, high)).scaleb(-self.places))

    def read(self, found: Any) -> Any:
        """7.00 is 7 where nobody pays fractions; 7.001 is not."""
        value = number_of(found)
        if value is None:
            return as_text(found)
        try:
            same = value.quantize(Decimal(1).scaleb(-self.places))
        except InvalidOperation:  # of more digits than any money has
            return as_text(found)
        return str(same) if same == value else str(value)


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int
    number = True

    def draw(self, random: Random) -> int:
        return random.randint(self.least, self.most)

    def read(self, found: Any) -> Any:
        value = number_of(found)
        if value is None or abs(value) >= LARGEST or value != value.to_integral_value():
            return as_text(found)
        return int(value)


@dataclass(frozen=True)
class OneOf:
    """One of these words."""

    words: Sequence[str]
    number = False

    def draw(self, random: Random) -> str:
        return random.choice(self.words)

    def read(self, found: Any) -> Any:
        return as_text(found)


@dataclass(frozen=True)
class Letters:
    """So many small letters."""

    many: int
    number = False

    def draw(self, random: Random) -> str:
        return "".join(random.choices(string.ascii_lowercase, k=self.many))

    def read(self, found: Any) -> Any:
        return as_text(found)


def money(text: str) -> Money:
    """`1..100`, or `0.01..1.00`: with as many places as are written. Errors: `ValueError`."""
    low, high = _ends(text)
    least, most = Decimal(low), Decimal(high)
    if not least.is_finite() or not most.is_finite() or not 0 <= least <= most:
        raise ValueError(f'"{text}" is no money from one to another')
    return Money(least, most, max(_places(low), _places(high)))


def whole(text: str) -> Whole:
    """`1..50`. Errors: `ValueError`."""
    if "." in text.replace("..", ""):
        raise ValueError(f'"{text}" are no whole numbers')
    least, most = map(int, _ends(text))
    if not -LARGEST < least <= most < LARGEST:
        raise ValueError(f'"{text}" are no numbers from one to another')
    return Whole(least, most)


def letters(text: str) -> Letters:
    """`12`. Errors: `ValueError`."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LONGEST:
        raise ValueError(f'"{text}" is no number of letters')
    return Letters(int(text))


def number_of(found: Any) -> Decimal | None:
    """None where it is none, or has no end."""
    if isinstance(found, bool) or not isinstance(found, int | float | str | Decimal):
        return None
    try:
        value = Decimal(str(found))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def as_text(found: Any) -> str | None:
    return None if found is None else str(found)


def _ends(text: str) -> tuple[str, str]:
    low, dots, high = text.partition("..")
    for each in (low, high):
        if not dots or not each.isascii() or not each.removeprefix("-").replace(".", "", 1).isdigit():
            raise ValueError(f'"{text}" is nothing from one to another')
    return low, high


def _places(text: str) -> int:
    return len(text.partition(".")[2])
