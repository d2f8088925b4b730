"""Sizes of data as people write them: `500 GB`, `1.5 TB`, `2 GiB`, `1048576 bytes`."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal

LARGEST = 10**18  # bytes: anything larger is a slip of the pen
WRITE_A_SIZE = 'write a size as a number and a unit, such as "500 GB", "2 TiB" or "1048576 bytes"'

_UNITS = {"TiB": 2**40, "TB": 10**12, "GiB": 2**30, "GB": 10**9, "MiB": 2**20, "MB": 10**6, "KiB": 2**10, "kB": 10**3}
_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?) ?(bytes|[kKMGT]i?B)", re.ASCII)


def size_of_data(text: str) -> int:
    """The number of bytes that `text` says, whole and more than none. Errors: `ValueError`."""
    found = _SIZE.fullmatch(text.strip())
    unit = {"bytes": 1, **_UNITS}.get(found[2]) if found else None
    if not found or unit is None:
        raise ValueError(f'"{text}" is not a size')
    size = Decimal(found[1]) * unit
    if size != int(size) or not 0 < size <= LARGEST:
        raise ValueError(f'"{text}" is not a size')
    return int(size)


def exactly(size: int) -> str:
    """A size as the plan writes it: `500 GB`, `2 TiB`, `1,234,567 bytes`; nothing of it is rounded."""
    for name, unit in _UNITS.items():
        if size >= unit and not size * 10 % unit:
            return f"{Decimal(size) / unit:f} {name}"
    return f"{size:,} bytes"


def measured(size: int) -> str:
    """A size that was measured, in three digits or more, rounded down: it never reads as more than it was."""
    for name in ("TB", "GB", "MB", "kB"):
        unit = _UNITS[name]
        if size >= unit:
            share = Decimal(size) / unit
            step = Decimal("0.01") if share < 10 else Decimal("0.1") if share < 100 else Decimal(1)
            return f"{share.quantize(step, rounding=ROUND_DOWN)} {name}"
    return f"{size} bytes"
