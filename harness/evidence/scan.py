"""The last look before a pack is sealed: does any file in it hold a secret or a card number?

Files are read in pieces that end at a line's end, so that a ledger of a million lines needs little memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness.evidence.redact import Hit, Redactor

PIECE = 1 << 20  # bytes
LONGEST_LINE = 1 << 24  # bytes: beyond it a line is cut in two
JSON = (".json", ".jsonl", ".healed")  # the last: an undo, when it is done
_ESCAPES = re.compile(r"\\[nrt]")  # a number after one would seem to touch a letter


@dataclass(frozen=True)
class Found:
    """Something that must not be sealed, and where it is. It does not repeat the secret."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}"


def scan(folder: Path, *, redactor: Redactor | None = None) -> list[Found]:
    """Everything in the files of `folder` that must not be sealed, by file and line."""
    looking = redactor or Redactor()
    found: list[Found] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(folder).as_posix()
        line = 1
        with path.open("rb") as source:
            for piece in pieces(source):
                text = piece.decode(errors="surrogateescape")
                hits = looking.hits(text)
                if path.suffix in JSON:
                    hits = (hit for hit in looking.hits(_ESCAPES.sub("  ", text)) if _in_string(text, hit))
                found += [Found(name, line + text.count("\n", 0, hit.start), hit.what) for hit in hits]
                line += piece.count(b"\n")
    return sorted(set(found), key=lambda hit: (hit.file, hit.line, hit.what))


def clean_logs(logs: Path, *, redactor: Redactor) -> list[Found]:
    """Mask, in place, what the components wrote into their logs; returns what was masked but for the places.

    Only for what others wrote, and before the seal: what we write ourselves is masked on its way in.
    """
    found = scan(logs, redactor=redactor)
    wrong = {hit.file for hit in found}
    for path in sorted(path for path in logs.rglob("*") if path.is_file() and not path.is_symlink()):
        text = path.read_bytes().decode(errors="replace")
        elsewhere = redactor.otherwise(text)
        masked = redactor.text(text, personal=False) if path.relative_to(logs).as_posix() in wrong else elsewhere
        if masked == text:
            continue
        half_made = path.with_name(f".{path.name}.masked")
        with half_made.open("w", encoding="utf-8", newline="") as sink:
            sink.write(masked)
            sink.flush()
            os.fsync(sink.fileno())
        half_made.replace(path)
    return found


def pieces(source: BinaryIO) -> Iterator[bytes]:
    """Of a file, each to the end of a line."""
    rest = b""
    while chunk := source.read(PIECE):
        rest += chunk
        whole, newline, tail = rest.rpartition(b"\n")
        if newline:
            yield whole + newline
            rest = tail
        elif len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _in_string(text: str, hit: Hit) -> bool:
    """Whether it stands inside a JSON string: an odd number of quotes that are not escaped lies before it."""
    inside, at = False, text.rfind("\n", 0, hit.start) + 1
    while at < hit.start:
        letter = text[at]
        if inside and letter == "\\":
            at += 1
        elif letter == '"':
            inside = not inside
        at += 1
    return inside
