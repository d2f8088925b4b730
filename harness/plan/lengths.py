"""Lengths of time and percentages as people write them: `30 s`, `15 min`, `1 h 30 min`, `99.99 %`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

LONGEST = timedelta(days=36_525)  # a century: anything longer is a slip of the pen
HUNDREDTH = timedelta(minutes=1) / 100
WRITE_A_LENGTH = 'write a length of time as a number and a unit, such as "30 s", "15 min", "4 h" or "2 days"'

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "second": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([a-z]+)", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,20})?) ?%", re.ASCII)


def length_of_time(text: str) -> timedelta:
    """The length that `text` says, more than nothing and at most a century. Errors: `ValueError`."""
    total = timedelta()
    rest = text.strip()
    while rest:
        part = _PART.match(rest)
        unit = _unit(part[2]) if part else None
        if not part or unit is None:
            break
        total += unit * float(part[1])
        rest = rest[part.end() :].lstrip()
    if rest or not timedelta() < total <= LONGEST:
        raise ValueError(f'"{text}" is not a length of time')
    return total


def percentage(text: str) -> Decimal:
    """`"99.99 %"` is `Decimal("99.99")`, exactly as written, between 0 and 100. Errors: `ValueError`."""
    found = _PERCENT.fullmatch(text.strip())
    if not found or Decimal(found[1]) > 100:
        raise ValueError(f'"{text}" is not a percentage')
    return Decimal(found[1])


def _unit(word: str) -> timedelta | None:
    plural = len(word) > 3 and word.endswith("s")
    return _UNITS.get(word.removesuffix("s") if plural else word)


def roughly(length: timedelta) -> str:
    """`"31 s"`, `"54 min"`, `"48 h"`: of an age, which nobody wants to the second for long."""
    for unit in (timedelta(hours=1), timedelta(minutes=1)):
        if length >= 2 * unit:
            return in_words(round(length / unit) * unit)
    return in_words(timedelta(seconds=round(length.total_seconds())))


def in_words(length: timedelta) -> str:
    """A length as the plan writes it: `1 h`, `5 min`, `52.56 min`, `90 s`."""
    for name, unit, step in (("h", timedelta(hours=1), timedelta(hours=1)), ("min", timedelta(minutes=1), HUNDREDTH)):
        least = timedelta(minutes=2) if name == "min" and length != unit else unit  # nobody writes 1.5 min
        if length >= least and not length % step:
            return f"{length / unit:.10g} {name}"
    return f"{length.total_seconds():.10g} s"


def for_people(length: timedelta) -> str:
    """The same as a message to customers has it: `1 hour`, `30 minutes`, `61 seconds`."""
    number, _, unit = in_words(length).partition(" ")
    return f"{number} {_WHOLE[unit]}{'' if number == '1' else 's'}"


_WHOLE = {"h": "hour", "min": "minute", "s": "second"}
