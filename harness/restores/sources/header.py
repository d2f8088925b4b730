"""What a dump says of itself at its beginning. Its format is told by that, too, and never by its file's name.

What pg_dump writes: custom (`-Fc`), directory (`-Fd`: of it `toc.dat`), tar (`-Ft`), a script (`-Fp`); what pg_dumpall
writes: a script of a cluster. Each may be packed as a whole: gzip, bzip2, xz, zstd.

The three archives begin with the time of the maker's clock, in parts and without a zone: `pg_restore --list` shows it
with the zone of whoever asks. A script has a time only if it was made with `--verbose`, and letters of its zone then.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["custom", "directory", "tar", "script", "cluster"]
Packed = Literal["", "gzip", "bzip2", "xz", "zstd"]
ARCHIVES: tuple[Kind, ...] = ("custom", "directory", "tar")
SHORT, LONG = 1024, 256 * 1024  # bytes that tell what it is, and those in which a script has its versions
MAGIC: dict[bytes, Packed] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
ARCHIVE, TAR_AT, TAR = b"PGDMP", 257, b"ustar"
TAR_MEMBER, TAR_BLOCK = b"toc.dat\0", 512
SCRIPT = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:--\r?\n)*-- PostgreSQL database (cluster )?dump\r?$", re.MULTILINE)
SERVER = re.compile(rb"^-- Dumped from database version (\S+)", re.MULTILINE)
BY = re.compile(rb"^-- Dumped by pg_dump(?:all)? version (\S+)", re.MULTILINE)
STARTED = re.compile(rb"^-- Started on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\S.*?))?\r?$", re.MULTILINE)
CONNECTED = re.compile(rb"^\\connect (?:-reuse-previous=on \"dbname='(.+)'\"|\"(.+)\"|(\S+))\r?$", re.MULTILINE)
OFFSET = re.compile(r"([+-]\d\d):?(\d\d)?")


@dataclass(frozen=True)
class Header:
    """Of one dump. What it does not say is empty."""

    kind: Kind
    made: datetime | None = None  # as the maker's clock showed it, without a zone
    zone: str = ""  # the letters beside it
    summer: bool = False  # summer time was kept where it was made
    database: str = ""
    server: str = ""  # "15.18"
    by: str = ""  # the version of pg_dump

    @property
    def version(self) -> int:
        """The major one that loads it: what a newer pg_dump wrote is not for an older server. 0: it does not say."""
        return max(_major(self.server), _major(self.by))

    def ended(self, zone: str) -> tuple[datetime | None, str]:
        """When it was made, where the maker's clock is of `zone` (empty: UTC); and what is against that, in words."""
        if self.made is None:
            return None, ""
        if self.zone in ("UTC", "GMT", "Z"):
            return self.made.replace(tzinfo=UTC), ""
        if found := OFFSET.fullmatch(self.zone):
            return datetime.fromisoformat(f"{self.made}{found[1]}:{found[2] or '00'}"), ""
        local = self.made.replace(tzinfo=ZoneInfo(zone or "UTC"))
        at = local.astimezone(UTC)
        if self.zone and local.tzname() != self.zone:
            return None, f"its time is of the zone {self.zone}, which {zone or 'UTC'} is not"
        if self.summer and not local.dst():
            return at, f"it was made in summer time, which {zone or 'UTC'} does not have then"
        return at, ""


class NoHeader(ValueError):
    """It is no dump, in words; or its header is cut short."""


def packed(first: bytes) -> Packed:
    """How it is packed as a whole; empty where it is not."""
    return next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), "")


def unpacked(first: bytes, kind: Packed, most: int = LONG) -> bytes:
    """The first `most` bytes, or what can be had, of the beginning of something packed. Not of zstd: no module has it.

    Errors: `NoHeader`.
    """
    try:
        if kind == "gzip":
            return zlib.decompressobj(wbits=31).decompress(first, most)
        if kind == "bzip2":
            return bz2.BZ2Decompressor().decompress(first, most)
        return lzma.LZMADecompressor().decompress(first, most)
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
        raise NoHeader(f"it is no sound {kind}: {error}") from None


def looks_like_one(first: bytes) -> bool:
    """Whether it is worth reading more of it."""
    return bool(packed(first) or first.startswith(ARCHIVE) or first[TAR_AT:].startswith(TAR) or SCRIPT.search(first))


def read_header(first: bytes) -> Header:
    """Of the beginning of a dump that is not packed. Errors: `NoHeader`."""
    if first.startswith(ARCHIVE):
        return _archive(first)
    if first[TAR_AT:].startswith(TAR):
        if not first.startswith(TAR_MEMBER):
            raise NoHeader("it is a tar, and not as pg_dump makes one: toc.dat is not the first in it")
        found = _archive(first[TAR_BLOCK:])
        return Header("tar", found.made, "", found.summer, found.database, found.server, found.by)
    script = SCRIPT.search(first)
    if not script:
        raise NoHeader("it is empty" if not first else "it does not begin as pg_dump and pg_dumpall begin")
    return _script(first, cluster=bool(script[1]))


def _script(first: bytes, *, cluster: bool) -> Header:
    started, connected = STARTED.search(first), None if cluster else CONNECTED.search(first)
    server, by = SERVER.search(first), BY.search(first)
    return Header(
        "cluster" if cluster else "script",
        made=datetime.fromisoformat(started[1].decode()) if started else None,
        zone=(started[2] or b"").decode(errors="replace") if started else "",
        database=next(filter(None, connected.groups()), b"").decode(errors="replace") if connected else "",
        server=server[1].decode(errors="replace") if server else "",
        by=by[1].decode(errors="replace") if by else "",
    )


def _archive(first: bytes) -> Header:
    """The fixed fields of an archive, as pg_restore reads them."""
    read = _Fields(first[len(ARCHIVE) :])
    if not first.startswith(ARCHIVE):
        raise NoHeader("its toc.dat does not begin as pg_dump's")
    version = (read.byte(), read.byte(), read.byte())
    if not (1, 10, 0) <= version < (2, 0, 0):
        raise NoHeader(f"its archive is of version {'.'.join(map(str, version))}, which is not known here")
    read.width = read.byte()
    read.byte()  # how long an offset is
    kind = {1: "custom", 3: "directory", 5: "directory"}.get(read.byte())
    if version >= (1, 15, 0):
        read.byte()  # how it is compressed within
    else:
        read.number()
    second, minute, hour, day, month, year, summer = (read.number() for _ in range(7))
    database, server, by = (read.text().partition(" ")[0] if each else read.text() for each in range(3))
    try:
        made = datetime(year + 1900, month + 1, day, hour, minute, min(second, 59))
    except ValueError:
        raise NoHeader("its header has a time that is none") from None
    if kind is None:
        raise NoHeader("its header has a format that is not known here")
    return Header("custom" if kind == "custom" else "directory", made, "", summer > 0, database, server, by)


class _Fields:
    """Numbers are a sign and `width` bytes, the least first; a text is its length and its bytes."""

    def __init__(self, rest: bytes) -> None:
        self._rest = iter(rest)
        self.width = 4

    def byte(self) -> int:
        return next(self._taken(1))

    def number(self) -> int:
        sign, *value = self._taken(1 + self.width)
        return int.from_bytes(bytes(value), "little") * (-1 if sign else 1)

    def text(self) -> str:
        return bytes(self._taken(max(self.number(), 0))).decode(errors="replace")

    def _taken(self, count: int) -> Iterator[int]:
        for _ in range(count):
            found = next(self._rest, None)
            if found is None:
                raise NoHeader("its header is cut short")
            yield found


def _major(version: str) -> int:
    """`"15.18"` is 15; 0 where it is none, and before 10, when it was two numbers."""
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0
