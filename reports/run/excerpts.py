"""What the components' own logs say around a moment: a few lines of each, by their own clocks.

Logs are shown, never believed: a line's time is what its component wrote. Where no time can be read, the last lines are
taken and the excerpt says so, unless several scenarios have written into the log: then nothing of it can be placed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.evidence import files
from reports.words import clean

BEFORE, AFTER = timedelta(seconds=3), timedelta(seconds=90)  # of a log that are shown, where it says much
FEW, MANY = 3, 20  # lines before the moment, and from it on
LAST = 10  # lines, where no time can be read
WIDEST = 240  # letters of a line
MOST = 1_000_000  # bytes of a file that are read
# 2026-11-02 03:00:24.118 UTC, 2026-11-02 03:00:24,118, 2026-11-02T03:00:24.118Z, [2026-11-02 03:00:24.118]
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII)
SAME = re.compile(r"(?:0x)?[0-9a-f]*\d[0-9a-f]*")  # what differs in lines that say the same
WHERE = 160  # letters at the beginning of a line in which its time is looked for


@dataclass(frozen=True)
class Excerpt:
    """Some lines of one log; `how` says which."""

    name: str
    how: str
    lines: tuple[str, ...]


def stamp_of(line: str) -> datetime | None:
    """The time that a line of a log names, taken as UTC where it names no offset; None where it names none."""
    found = STAMP.search(line[:WHERE])
    if found is None:
        return None
    day, time, part, offset = found.groups()
    zone = "+00:00" if offset in (None, "Z", "UTC") else offset
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(part or '0').ljust(6, '0')}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def logs_of(folder: Path, names: Iterable[str], *, more: object = None) -> list[Path]:
    """The logs of components, by their names, and of all that stands in a zone where `zone a` is named.

    A component may have several: `more` says of some which logs are theirs, too (`logs` of `stack.ready`).
    """
    wanted = list(dict.fromkeys(names))
    ends = tuple(f"-{name.removeprefix('zone ')}" for name in wanted if name.startswith("zone "))
    paths = sorted(path for path in (folder / "logs").glob("*.log") if path.is_file() and not path.is_symlink())
    found = [path for path in paths if path.stem in wanted or (ends and path.stem.endswith(ends))]
    others = more if isinstance(more, dict) else {}
    told = {str(name) for path in found for name in _list(others.get(path.stem))}
    return [path for path in paths if path in found or path.stem in told]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def around(path: Path, moment: datetime, *, until: datetime | None = None, alone: bool = True) -> Excerpt:
    """The lines of a log around a moment, a bounded number of bounded length; of a log with times those that have one.

    `until`: nothing later is shown; what came then is of another scenario. `alone`: there is no other.
    """
    lines = _lines(path)
    if not lines:
        return Excerpt(path.name, "it is empty", ())
    stamped = [(stamp_of(line), line) for line in lines]
    apart = [(at - moment, line) for at, line in stamped if at is not None]
    before = [line for length, line in apart if -BEFORE <= length < timedelta(0)]
    longest = AFTER if until is None else min(AFTER, max(until - moment, timedelta(0)))
    all_after = [line for length, line in apart if timedelta(0) <= length <= longest]
    after = _told_once(all_after)
    if before or after:
        left = len(all_after) - min(len(after), MANY)
        how = f"{min(len(before), FEW)} of the {BEFORE.seconds} s before the fault, " if before else ""
        how = f"lines, by its own clock: {how}{min(len(after), MANY)} of the {longest.seconds} s after it"
        how += f"; {left} later ones, or like these, are left out" if left else ""
        return Excerpt(path.name, how, tuple(_short(line) for line in (*before[-FEW:], *after[:MANY])))
    if any(at is not None for at, _ in stamped):
        return Excerpt(path.name, f"by its own clock it says nothing in the {longest.seconds} s after the fault", ())
    if not alone:
        return Excerpt(path.name, "no time can be read in it, and other scenarios have written into it, too", ())
    return Excerpt(
        path.name, "its last lines: no time can be read in it", tuple(_short(line) for line in lines[-LAST:])
    )


def _lines(path: Path) -> list[str]:
    try:
        with files.opened(path) as source:
            text = source.read(MOST).decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _told_once(lines: Iterable[str]) -> list[str]:
    """Each line that is like none before it: a program that says the same every second is quoted once."""
    kinds: dict[str, str] = {}
    for line in lines:
        kinds.setdefault(SAME.sub("", line), line)
    return list(kinds.values())


def _short(line: str) -> str:
    text = clean(line.replace("\t", " "))
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
