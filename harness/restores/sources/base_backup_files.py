"""What a base backup of pg_basebackup says of itself: its label, its manifest, and the write-ahead log that it has.

No file's own time counts: a copy makes it new. Sources: PostgreSQL 18, `build_backup_content` in
`access/transam/xlogbackup.c`, the appendix on the format of the manifest, `XLogLongPageHeaderData` in
`access/xlog_internal.h`.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import IO
from zoneinfo import ZoneInfo, available_timezones

from harness.restores.sources.tars import ENDINGS

LABEL, MANIFEST, VERSION, CONTROL = "backup_label", "backup_manifest", "PG_VERSION", "global/pg_control"
LONG_HEADER = struct.Struct("<HHIQI4xQII")  # of a segment: magic, flags, timeline, position, …, system, size, block
HAS_LONG_HEADER = 2
TAR = r"\.tar(\.gz|\.zst|\.lz4)?"
MAGIC = {0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18}  # XLOG_PAGE_MAGIC of each version
_PATH = re.compile(rb'"Size": (\d+).*?"Last-Modified": "(\d+-\d+-\d+ \d+:\d+:\d+) GMT"')
_SYSTEM = re.compile(rb'"System-Identifier": (\d+)')
_RANGE = re.compile(rb'"Timeline": (\d+), "Start-LSN": "([0-9A-F/]+)", "End-LSN": "([0-9A-F/]+)"')
_CHECKSUM = re.compile(rb'"Manifest-Checksum": "([0-9a-f]{64})"\}')


@dataclass(frozen=True)
class Label:
    """`first`: the segment that it begins in. `zone`: as the server wrote it; `began` is the earliest that it can be.

    `after`: an incremental one's: where the one that it goes with begins.
    """

    first: str
    lsn: str
    began: datetime
    zone: str
    after: str = ""


def label(text: str) -> Label | None:
    """Of the file `backup_label`; None where it is none."""
    start = re.search(r"^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) \(file ([0-9A-F]{24})\)", text, re.MULTILINE)
    time = re.search(r"^START TIME: (\d+-\d+-\d+ \d+:\d+:\d+) (\S+)", text, re.MULTILINE)
    after = re.search(r"^INCREMENTAL FROM LSN: (\S+)", text, re.MULTILINE)
    if not start or not time:
        return None
    began = _moment(datetime.strptime(time[1], "%Y-%m-%d %H:%M:%S"), time[2])
    return Label(start[2], start[1], began, time[2], after[1] if after else "") if began else None


def _moment(local: datetime, zone: str) -> datetime | None:
    """The earliest that it can be: a short name of a zone may be that of several."""
    if zone in ("UTC", "GMT", "Z"):
        return local.replace(tzinfo=UTC)
    if found := re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", zone):
        ahead = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return local.replace(tzinfo=timezone(ahead if found[1] == "+" else -ahead))
    named = (local.replace(tzinfo=ZoneInfo(name)) for name in sorted(available_timezones()))
    moments = [moment.astimezone(UTC) for moment in named if moment.tzname() == zone]
    return min(moments, default=None)


@dataclass(frozen=True)
class Manifest:
    """`newest`: when the last file that is in it was changed, on the server: the backup ended then, or a little later.

    `stop`: the position that it needs the log up to. `sound`: what is wrong with itself. `system`: from 17 on.
    """

    digest: str
    size: int
    newest: datetime | None
    timeline: int
    start: str
    stop: str
    system: str
    sound: str


def manifest(source: IO[bytes]) -> Manifest:
    """Read line by line: each has one file."""
    whole, before = hashlib.sha256(), hashlib.sha256()
    size, newest, system, named = 0, b"", "", ""
    ranges: list[tuple[int, str, str]] = []
    for line in source:
        whole.update(line)
        if found := _CHECKSUM.search(line):
            named = found[1].decode()
        else:
            before.update(line)
        if found := _PATH.search(line):
            size, newest = size + int(found[1]), max(newest, found[2])
        elif found := _SYSTEM.search(line):
            system = found[1].decode()
        elif found := _RANGE.search(line):
            ranges.append((int(found[1]), found[2].decode(), found[3].decode()))
    sound = "" if named and named == before.hexdigest() else "its manifest is not what its own checksum says"
    moment = datetime.strptime(newest.decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if newest else None
    timeline, start, stop = ranges[-1] if ranges else (0, "", "")
    return Manifest(whole.hexdigest(), size, moment, timeline, start, stop, system, sound)


@dataclass(frozen=True)
class Piece:
    """What the beginning of a segment says."""

    version: int  # 0: of none that is known
    timeline: int
    begin: int  # position
    system: str
    size: int  # bytes of a whole segment


def piece(head: bytes) -> Piece | None:
    """None where it is no beginning of a segment."""
    if len(head) < LONG_HEADER.size:
        return None
    magic, flags, timeline, begin, _, system, size, _ = LONG_HEADER.unpack_from(head)
    if magic >> 8 != 0xD1 or not flags & HAS_LONG_HEADER:
        return None
    return Piece(MAGIC.get(magic, 0), timeline, begin, str(system), size)


def control_system(head: bytes) -> str:
    """The system identifier in the beginning of `pg_control`; empty where there is none."""
    return str(int.from_bytes(head[:8], "little")) if len(head) >= 8 else ""


def version_of(text: bytes) -> int:
    """Of the file `PG_VERSION`; 0 where it is none."""
    found = re.match(rb"\d+", text)
    return int(found[0]) if found else 0


# Where they lie


@dataclass(frozen=True)
class Layout:
    """One backup in a repository: `at` is its folder with a `/` behind, or empty for the repository itself.

    `files`: the names in it, relative to `at`, to their sizes. `base`: the main tar; a plain one has none.
    """

    at: str
    files: Mapping[str, int]
    base: str = ""

    @property
    def id(self) -> str:
        return self.at.rstrip("/") or "."

    def tar(self, name: str) -> str:
        """The full name of `pg_wal.tar`, or as it is compressed; empty where there is none."""
        return next((self.at + each for end in ENDINGS if (each := f"{name}.tar{end}") in self.files), "")

    @property
    def spaces(self) -> dict[str, str]:
        """The tars of tablespaces, by their OIDs."""
        oids = {name.partition(".")[0] for name in self.files if re.fullmatch(rf"\d+{TAR}", name)}
        return {oid: self.tar(oid) for oid in sorted(oids)}

    @property
    def oids(self) -> list[str]:
        """Of the tablespaces that lie in it; a plain one may have links to others."""
        inside = {name.split("/")[1] for name in self.files if re.match(r"pg_tblspc/\d+/", name)}
        return sorted(inside | set(self.spaces))


def layouts(names: Mapping[str, int], *, archive: Collection[str]) -> list[Layout]:
    """Every backup among the files of a repository, but for what is in the folders of the `archive`."""
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        at, _, file = name.rpartition("/")
        at = f"{at}/" if at else ""
        tar = re.fullmatch(rf"base{TAR}", file) is not None
        plain = file in (LABEL, MANIFEST) and f"{at}{VERSION}" in names
        if (tar or plain) and not any(at.startswith(other) for other in archive):
            found.setdefault(at, name if tar else "")
    return [Layout(at, dict(_below(names, at, [*found, *archive])), base) for at, base in sorted(found.items())]


def _below(names: Mapping[str, int], at: str, others: Collection[str]) -> Iterator[tuple[str, int]]:
    nested = [other for other in others if other != at and other.startswith(at)]
    for name, size in names.items():
        if name.startswith(at) and not any(name.startswith(other) for other in nested):
            yield name.removeprefix(at), size
