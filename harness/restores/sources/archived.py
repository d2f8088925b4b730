"""What of a WAL archive belongs to a backup: names alone, by which a gap is told from the archive's end.

A segment is named by its timeline, and by its number in two parts; how much one holds (`size`, bytes) is a setting of
each system. Source: PostgreSQL 18, `XLogFileName` in `access/xlog_internal.h`, `findNewestTimeLine` in
`access/transam/timeline.c`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from harness.stacks.capabilities.backups import Branch
from harness.stacks.parts.wal import SEGMENT, branches, history_of, is_segment, position

READ = 1 << 20  # bytes


def timeline(name: str) -> int:
    return int(name[:8], 16)


def number(name: str, size: int) -> int:
    return int(name[8:16], 16) * ((1 << 32) // size) + int(name[16:24], 16)


def named(line: int, number: int, size: int) -> str:
    per_log = (1 << 32) // size
    return f"{line:08X}{number // per_log:08X}{number % per_log:08X}"


def size_of(known: Mapping[str, str]) -> int:
    """How much a segment holds, by positions and the names of the segments that they are in; the usual where it stays
    open, as it does near the beginning of a system."""
    sizes = [1 << power for power in range(20, 31)]  # what initdb takes: 1 MB to 1 GB
    for name, lsn in known.items():
        at = position(lsn)
        sizes = [size for size in sizes if number(name, size) in (at // size, (at - 1) // size)]
    return SEGMENT if SEGMENT in sizes or not sizes else sizes[0]


def wanted(names: Collection[str], *, first: str) -> list[str]:
    """All histories, and the segments from `first` on, of its timeline and of later ones. In order of name."""
    return sorted(
        name
        for name in names
        if history_of(name) or (is_segment(name) and name[:8] >= first[:8] and name[8:] >= first[8:])
    )


def histories(folder: Path) -> dict[int, tuple[Branch, ...]]:
    """What the history files in a folder say, by their timelines; one that cannot be read is left out."""
    found = {}
    for path in sorted(folder.glob("*.history")):
        if line := history_of(path.name):
            try:
                found[line] = branches(path.read_text())
            except (OSError, ValueError, IndexError):
                continue
    return found


def newest(known: Collection[int], *, first: str) -> int:
    """The timeline that PostgreSQL recovers along: the last of those that follow without a gap, each by its history."""
    line = timeline(first)
    while line + 1 in known:
        line += 1
    return line


def along(
    names: Collection[str], *, first: str, size: int, histories: Mapping[int, Sequence[Branch]]
) -> tuple[list[str], list[str]]:
    """The segments that a recovery from `first` on reads, in order; and what is missing among them, in words.

    The segment in which a timeline branched is read on the new one, or else on the old one.
    """
    line = newest(histories, first=first)
    past = histories.get(line, ())
    found: dict[int, str] = {}
    for name in sorted(filter(is_segment, wanted(names, first=first))):  # older timelines first
        at = number(name, size)
        left = next((branch for branch in past if at <= branch.until // size), None)
        if timeline(name) == (left.history if left else line) or _branched(name, at, size, line, past):
            found[at] = name
    if not found:
        return [], []
    begin = number(first, size)
    have = sorted(found)
    missing = [(begin - 1, have[0]), *pairwise(have)]
    gaps = [_gap(before + 1, after - 1, found[after], size) for before, after in missing if after - before > 1]
    return [found[at] for at in have], gaps


def _branched(name: str, at: int, size: int, line: int, past: Sequence[Branch]) -> bool:
    """Whether the segment is the new timeline's copy of that in which the one before was left."""
    news = [*[branch.history for branch in past[1:]], line]
    return any(at == old.until // size and timeline(name) == new for old, new in zip(past, news, strict=False))


def _gap(start: int, end: int, before: str, size: int) -> str:
    first, last = (named(timeline(before), at, size) for at in (start, end))
    if start == end:
        return f"{first} is missing in the middle of the archive: what comes behind it cannot be reached"
    return (
        f"{first} to {last} ({end - start + 1} pieces) are missing in the middle of the archive: "
        "what comes behind them cannot be reached"
    )


def lacking(names: Collection[str], *, start: str, stop: str, size: int) -> list[str]:
    """The segments that a backup needs to be consistent, and that are not there."""
    if not start:
        return []
    numbers = range(number(start, size), number(stop or start, size) + 1)
    needed = (named(timeline(start), at, size) for at in numbers)
    return [name for name in needed if name not in names]


def some(names: Sequence[str]) -> str:
    """`"000… is"`, `"000…, 000… are"`."""
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''} are"


def sha1(path: Path) -> str:
    """Of a file's content, in hex. Errors: `OSError`."""
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as source:
        while piece := source.read(READ):
            digest.update(piece)
    return digest.hexdigest()
