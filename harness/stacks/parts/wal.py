"""Names and positions of PostgreSQL's write-ahead log, and how far an archive of it is complete. Pure functions.

For every kind of stack and every backup tool; only the checks, which import nothing of the machine, have their own.

A segment is named by its timeline and its number, 8 and 16 hexadecimal digits; `<timeline>.history` lists the
timelines it descends from with the position at which each was left. Source: PostgreSQL 18, `XLogFileName` in
`access/xlog_internal.h` and `readTimeLineHistory` in `access/transam/timeline.c`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from harness.stacks.capabilities.backups import Branch

SEGMENT = 16 << 20  # bytes; initdb's default
PAGE = 8192  # bytes
SEGMENT_HEADER, PAGE_HEADER, ALIGNED = 40, 24, 8  # bytes: of a segment's first page, of any other; where records begin
SPOOL = "fetched_wal"  # folder in which a restore_command may leave what it fetched ahead
PER_LOG = (1 << 32) // SEGMENT

_SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
_HISTORY_NAME = re.compile(r"([0-9A-F]{8})\.history")


def is_segment(name: str) -> bool:
    return _SEGMENT_NAME.fullmatch(name) is not None


def history_of(name: str) -> int:
    """The timeline that a history file belongs to; 0 where `name` is no history file."""
    found = _HISTORY_NAME.fullmatch(name)
    return int(found.group(1), 16) if found else 0


def segment_name(timeline: int, number: int) -> str:
    return f"{timeline:08X}{number // PER_LOG:08X}{number % PER_LOG:08X}"


def segment_at(name: str) -> tuple[int, int]:
    """The timeline and the number of a segment."""
    return int(name[:8], 16), int(name[8:16], 16) * PER_LOG + int(name[16:24], 16)


def start_of(name: str) -> int:
    """The position at which a segment begins."""
    return segment_at(name)[1] * SEGMENT


def end_of(name: str) -> int:
    """The position up to which a segment goes."""
    return start_of(name) + SEGMENT


def position(lsn: str) -> int:
    """The bytes that an LSN such as `16/B374D848` stands for."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def record_begin(at: int) -> int:
    """Where the record begins that follows on a position: behind the header where a page begins there."""
    return at + _header(at)


def record_end(begin: int, length: int) -> int:
    """The position behind a record of `length` bytes (its `xl_tot_len`), which headers of pages interrupt.

    Source: PostgreSQL 18, `access/xlogrecord.h`, and `XLogBytePosToEndRecPtr` in `access/transam/xlog.c`.
    """
    at = begin
    while length > 0:
        at += _header(at)
        taken = min(length, PAGE - at % PAGE)
        at, length = at + taken, length - taken
    return at + -at % ALIGNED


def _header(at: int) -> int:
    if at % PAGE:
        return 0
    return PAGE_HEADER if at % SEGMENT else SEGMENT_HEADER


def lsn(at: int) -> str:
    return f"{at >> 32:X}/{at & 0xFFFFFFFF:X}"


def branches(history: str) -> tuple[Branch, ...]:
    """The content of a history file, oldest timeline first."""
    found = []
    for line in history.splitlines():
        fields = line.split("#")[0].split()
        if len(fields) >= 2:
            found.append(Branch(int(fields[0]), position(fields[1])))
    return tuple(found)


def timeline_of(number: int, *, newest: int, past: Sequence[Branch]) -> int:
    """The timeline whose segment of this number is read on the way to `newest`, which descends from `past`.

    The segment in which a timeline branched is read on the new one: it was copied there up to the branch.
    """
    return next((branch.history for branch in past if number < branch.until // SEGMENT), newest)


def between(begin: int, end: int, *, newest: int, past: Sequence[Branch]) -> list[str]:
    """The segments from one position to another on the way to `newest`, in order."""
    numbers = range(begin // SEGMENT, (end - 1) // SEGMENT + 1)
    return [segment_name(timeline_of(number, newest=newest, past=past), number) for number in numbers]


def on_path(names: Collection[str], *, newest: int, past: Sequence[Branch]) -> list[str]:
    """Those segments among `names` that a recovery along `newest` reads, in order.

    Where the new timeline's copy of the segment in which it branched is missing, the old one's is read.
    """
    found = {}
    for name in sorted(filter(is_segment, names)):  # older timelines first
        line, number = segment_at(name)
        branched = any(branch.history == line and branch.until // SEGMENT == number for branch in past)
        if branched or line == timeline_of(number, newest=newest, past=past):
            found[number] = name
    return [found[number] for number in sorted(found)]


@dataclass
class Listed:
    """What is known of an archive that is listed again and again."""

    names: set[str] = field(default_factory=set)
    histories: dict[int, tuple[Branch, ...]] = field(default_factory=dict)
    origins: list[str] | None = None  # first segments of the base backups, oldest first; None: ask again
    last: str = ""  # the last segment without a gap: nothing before it need be listed again

    def complete_until(self) -> int:
        """See the function of this name; moves `last` on."""
        reached = complete_until(self.names, histories=self.histories, origins=self.origins or ())
        before = [segment_name(line, reached // SEGMENT - 1) for line in {1, *self.histories}] if reached else []
        self.last = max((name for name in before if name in self.names), default="")
        return reached


def complete_until(names: Collection[str], *, histories: Mapping[int, Sequence[Branch]], origins: Sequence[str]) -> int:
    """The position up to which everything needed for a recovery is among `names`.

    Counts from the first segment of the newest base backup (`origins`, oldest first) that the newest timeline descends
    from, without a gap, across changes of timeline. Without such a backup it counts from the first segment there is.
    A timeline above the first counts only with its history file, for nobody can recover along it without.
    """
    segments = {name for name in names if is_segment(name)}
    known = {segment_at(name)[0] for name in segments} | set(histories)
    newest = max((line for line in known if line == 1 or line in histories), default=0)
    if not newest:
        return 0
    past = tuple(histories.get(newest, ()))

    def needed(name: str) -> bool:
        line, number = segment_at(name)
        return line == timeline_of(number, newest=newest, past=past)

    start = next((name for name in reversed(origins) if needed(name)), "")
    if not start:
        start = min(filter(needed, segments), key=lambda name: segment_at(name)[1], default="")
    if not start:
        return 0
    number = segment_at(start)[1]
    while segment_name(timeline_of(number, newest=newest, past=past), number) in segments:
        number += 1
    # The new timeline's copy of the segment in which it branched may be missing yet: the old one's reaches so far.
    reached = [b.until for b in past if b.until // SEGMENT == number and segment_name(b.history, number) in segments]
    return max([number * SEGMENT, *reached])
