"""Reading a journal strictly: one accepted byte form, one unbroken chain, a named error for each way to fail.

For who writes a journal, goes on with it, seals it, or shows the end of a run of now. Packs, which may be damaged or
withheld in part, are read by `harness.evidence.reading`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence import format1
from harness.evidence.format1 import Format1
from harness.system.clock import utc_text

NAME = "journal.jsonl"
GENESIS = "0" * 64
VERSION = 2  # of the lines that are written
VERSIONS = (format1.VERSION, VERSION)  # of those that are read
KEYS = ["v", "seq", "prev", "salt", "utc", "mono", "kind", "data"]
HINT = "run `drdrill verify` on the pack; a damaged journal is no evidence"


@dataclass(frozen=True)
class Line:
    """One fact. `mono` is in nanoseconds, `digest` the SHA-256 of the line without its newline."""

    seq: int
    utc: datetime
    mono: int
    kind: str
    data: dict[str, Any]
    prev: str
    salt: str
    digest: str
    version: int  # of its format


class JournalDamaged(Refused):
    """A journal is not what was written."""


class NotCanonical(JournalDamaged):
    """A line is not in the one accepted form."""


class UnknownVersion(JournalDamaged):
    """A line of a format that this version does not know, or of an older one than the line before."""


class ChainBroken(JournalDamaged):
    """A line does not name the digest of the line before."""


class SequenceGap(JournalDamaged):
    """A line has another number than its place."""


class TornLine(JournalDamaged):
    """The last line has no end."""


class LineRedacted(JournalDamaged):
    """A line was withheld: nothing can be recomputed from a redacted copy."""


class NothingBegan(Refused):
    """A journal without a whole line: its run was killed before it did anything."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: the run was killed before anything began", hint=f"remove {path.parent}")


def read(path: Path, *, torn_ok: bool = False) -> list[Line]:
    """Every line of a journal, its chain and form checked. `torn_ok` leaves out a last line without its newline.

    Errors: a `JournalDamaged` that names the line; `Refused` when the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", hint="name a journal.jsonl") from None
    whole, newline, _ = content.rpartition(b"\n")
    return parse(whole + newline if torn_ok else content, path)


def parse(content: bytes, path: Path) -> list[Line]:
    """The lines in `content`, checked. `path` is for the errors only."""
    if content and not content.endswith(b"\n"):
        raise TornLine(f"{path}: the last line is torn", hint="run `drdrill heal`: the run was killed")
    lines: list[Line] = []
    prev, old = GENESIS, Format1()
    for number, raw in enumerate(content.split(b"\n")[:-1], start=1):
        line = _line(raw, f"{path}: line {number}", old)
        if lines and line.version < lines[-1].version:
            raise UnknownVersion(f"{path}: line {number} goes back to format version {line.version}", hint=HINT)
        if line.seq != number - 1:
            raise SequenceGap(f"{path}: line {number} has the number {line.seq}", hint=HINT)
        if line.prev != prev:
            raise ChainBroken(f"{path}: the chain is broken at line {number}", hint=HINT)
        prev = line.digest
        lines.append(line)
    return lines


def _line(raw: bytes, where: str, old: Format1) -> Line:
    try:
        fields = json.loads(raw)
        if isinstance(fields, dict) and type(fields.get("v")) is int and fields["v"] not in VERSIONS:
            raise UnknownVersion(f"{where} has format version {fields['v']}", hint="use a newer drdrill")
        canonical = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        raise NotCanonical(f"{where} is not JSON in UTF-8", hint=HINT) from None
    if canonical != raw or not isinstance(fields, dict):
        raise NotCanonical(f"{where} is not in the one accepted form", hint=HINT)
    if list(fields) == ["v", "seq", "redacted"]:
        raise LineRedacted(f"{where} is redacted", hint="ask for the whole pack")
    utc = _utc(fields.get("utc"))
    if (
        list(fields) != KEYS
        or any(type(fields[key]) is not int for key in ("v", "seq", "mono"))
        or any(not isinstance(fields[key], str) for key in ("prev", "salt", "kind"))
        or not re.fullmatch("[0-9a-f]{32}", fields["salt"])
        or not isinstance(fields["data"], dict)
        or utc is None
    ):
        raise NotCanonical(f"{where} has not the fields of a fact", hint=HINT)
    fields = old.line(fields)
    return Line(
        seq=fields["seq"],
        utc=utc,
        mono=fields["mono"],
        kind=fields["kind"],
        data=fields["data"],
        prev=fields["prev"],
        salt=fields["salt"],
        digest=hashlib.sha256(raw).hexdigest(),
        version=fields["v"],
    )


def _utc(text: object) -> datetime | None:
    try:
        moment = datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if utc_text(moment) == text else None
