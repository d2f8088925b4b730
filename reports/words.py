"""How figures are written for people: with a unit and the error bar, rounded so that the bar still holds the truth.

The figure itself is rounded to the nearest, the low end of its bar down and the high end up. Text that came from a
journal is made harmless first (`clean`): it is shown, never obeyed.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

LONGEST = 1500  # characters of one text that a report shows; the whole is in the journal
BEYOND = 1e12  # seconds: no drill lasts so long; such a figure is damage, and is shown as it is
SYMBOLS = {"MET": "✓", "MISSED": "✗", "UNKNOWN": "?"}
PLURALS = {
    "transactions": "transaction",
    "rows": "row",
    "requests": "request",
    "promotions": "promotion",
}
_BAD_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def clean(value: Any) -> str:
    """`value` as harmless text: controls, direction marks and lone surrogates become `<U+202E>`; cut when long."""
    text = value if isinstance(value, str) else plain(value)
    shown = "".join(_visible(char) for char in text[:LONGEST])
    if len(text) > LONGEST:
        shown += f" … (cut here; {len(text):,} characters in all)"
    return shown


def _visible(char: str) -> str:
    none = 0xFDD0 <= ord(char) <= 0xFDEF or ord(char) & 0xFFFE == 0xFFFE  # no characters; XML has no place for them
    if char in "\n\t" or not (none or unicodedata.category(char) in _BAD_CATEGORIES):
        return char
    return f"<U+{ord(char):04X}>"


def plain(value: Any) -> str:
    """A JSON value in words: no braces, no quotes."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(value[key])}" for key in value)
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def as_number(value: object) -> float:
    """A number from a journal; what is none becomes 0."""
    try:
        return float(value) if isinstance(value, (int, float)) else 0.0
    except OverflowError:
        return math.inf


def number(value: float) -> str:
    """1234567 is `1,234,567`; at most three decimals, none that say nothing."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}".rstrip("0")


def size(count: float) -> str:
    """Bytes in decimal units: 87_400_000 is `87 MB`."""
    for limit, word in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            scaled = count / limit
            return f"{scaled:,.1f} {word}" if scaled < 10 else f"{scaled:,.0f} {word}"
    return f"{int(count):,} bytes"


def limit(seconds: float) -> str:
    """An objective, exactly: 3600 is `1 h`, 3153.6 is `52.56 min`, 90 is `90 s`."""
    for span, word in ((3600, "h"), (60, "min")):
        least = 120 if span == 60 and seconds != 60 else span  # nobody writes 1.5 min
        if BEYOND > seconds >= least and abs(seconds / span - round(seconds / span, 2)) < 1e-9:
            return f"{number(round(seconds / span, 2))} {word}"
    return f"{number(seconds)} s"


def counted(number: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def length(seconds: float, *, like: float | None = None, rounding: str = ROUND_HALF_UP) -> str:
    """A measured length: `0.43 s`, `31.2 s`, `4 min 12 s`, `1 h 2 min`; as precise as fits `like`."""
    scale = abs(seconds if like is None else like)
    if not max(abs(seconds), scale) < BEYOND:
        return f"{seconds:g} s"
    exact = Decimal(str(round(seconds, 6)))
    if exact == 0:
        return "0 s"
    if scale < 120:
        step = Decimal("0.01") if scale < 10 else Decimal("0.1")
        rounded = exact.quantize(step, rounding=rounding)
        return f"{rounded} s" if rounded or like is not None else "under 0.01 s"
    sign = "-" if exact < 0 else ""
    if scale < 3600:
        whole = abs(int(exact.quantize(Decimal(1), rounding=rounding)))
        return f"{sign}{whole // 60} min {whole % 60} s"
    whole = abs(int((exact / 60).quantize(Decimal(1), rounding=rounding)))
    return f"{sign}{whole // 60} h {whole % 60} min"


def quantity(value: float, unit: str) -> str:
    """A figure with its unit: `0 transactions`, `1 transaction`, `12.34 money`; seconds as a length."""
    if unit == "s":
        return length(value)
    if unit == "bytes":
        return size(value)
    return f"{number(value)} {PLURALS.get(unit, unit) if value == 1 else unit}".strip()


def measured(figure: float | None, low: float | None, high: float | None, unit: str, *, lower_bound: bool) -> str:
    """`12.4 s (12.1 to 12.6)`, `at least 93.1 s`, `no figure`."""
    if figure is None:
        return "no figure"
    if lower_bound:
        return f"at least {quantity(figure, unit)}"
    text = quantity(figure, unit)
    if low is None or high is None or (low == figure == high):
        return text
    if unit != "s":
        return f"{text} ({number(low)} to {number(high)})"
    ends = [
        length(low, like=figure, rounding=ROUND_FLOOR),
        length(high, like=figure, rounding=ROUND_CEILING),
    ]
    if abs(figure) < 120:
        ends = [end.removesuffix(" s") for end in ends]
    return f"{text} ({ends[0]} to {ends[1]})"


def ratio(figure: float | None, objective: float | None, *, lower_bound: bool = False) -> str:
    """How much of the objective was used: `0.9 % of it`, `1.4 times it`; empty where that means nothing."""
    if figure is None or not objective or (lower_bound and figure / objective < 0.001):
        return ""
    return f"{'at least ' if lower_bound else ''}{_share(figure / objective)}"


def _share(share: float) -> str:
    if share > 1:
        return f"{share:,.1f} times it" if share >= 1.05 else f"{share * 100:.1f} % of it"
    percent = share * 100
    if percent and percent < 0.1:
        return "under 0.1 % of it"
    return f"{percent:.1f} % of it" if percent < 10 and percent else f"{percent:.0f} % of it"


def stamp(moment: datetime | None) -> str:
    """`2026-11-23 20:55:01 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "unknown"
