"""The one reader of journals of which nobody knows yet whether they are sound: those of packs, sealed or not.

It opens (`harness.evidence.files`), bounds, splits and parses; what a damaged or withheld line means is each caller's
own: judging refuses it, a page tells of it. Who writes a journal, goes on with it or seals it reads what it has
written strictly, chain and form (`harness.evidence.lines`); the stand-alone verifier has a reader of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.evidence import files
from harness.evidence.format1 import Format1

LAST_BYTES = 1 << 16  # of a journal, among which its last line is looked for


class Entry(NamedTuple):
    """One line of a file of JSON objects. `fields` is None where it is none, and then `why` says so."""

    number: int  # from 1
    fields: dict[str, Any] | None
    why: str
    empty: bool
    torn: bool  # the last line, without an end

    @property
    def withheld(self) -> bool:
        return self.fields is not None and "redacted" in self.fields


def entries(path: Path, *, largest: int | None = None) -> Iterator[Entry]:
    """Every line, one after another, in the words of format 2. Errors: `OSError`, also for one that is too long."""
    old = Format1()
    for number, raw in enumerate(files.lines(path, largest=largest), start=1):
        yield _entry(number, raw, old)


def ends(path: Path) -> tuple[Entry, Entry]:
    """The first line and the last one, of a file of any length. Errors: `OSError`."""
    with files.opened(path) as source:
        first = source.readline(files.LONGEST_LINE)
        source.seek(max(source.seek(0, os.SEEK_END) - LAST_BYTES, 0))
        *_, last = source.read().splitlines(keepends=True) or [b""]
    return _entry(1, first, Format1()), _entry(0, last, Format1())


def first(path: Path) -> dict[str, Any]:
    """The fields of the first line. Errors: `OSError`; `ValueError` where that is no object."""
    with files.opened(path) as source:
        entry = _entry(1, source.readline(files.LONGEST_LINE), Format1())
    if entry.fields is None:
        raise ValueError(entry.why)
    return entry.fields


def _entry(number: int, raw: bytes, old: Format1) -> Entry:
    text = raw.removesuffix(b"\n")
    fields, why = None, ""
    try:
        fields = files.parsed(text)
    except ValueError as error:
        why = str(error)
    if not why and not isinstance(fields, dict):
        fields, why = None, "it is no object"
    elif fields is not None:
        fields = old.line(fields)
    return Entry(number, fields, why, empty=not text, torn=text == raw)
