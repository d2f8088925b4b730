"""The numbers of the runs in one folder of evidence, and the chain of their packs.

Every run has a number, one more than the run before, and names the digest of the pack before. No two get the same
number, for there is one run at a time in a folder (`harness.safety.begin`).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence import files
from harness.evidence.lines import NAME as JOURNAL

ENVELOPE = "pack.dsse.json"
UNFINISHED = ".unfinished"
NONE = "none"
LONGEST_LINE = files.LONGEST_LINE


def newest(evidence: Path) -> tuple[int, str]:
    """The highest number used in the folder (0: none), and the digest of the newest sealed pack (or "none")."""
    if not evidence.is_dir():
        return 0, NONE
    highest, sealed, digest, runs = 0, (0, ""), NONE, 0
    for path in sorted(path for path in evidence.iterdir() if path.is_dir()):
        first = _first_line(path)
        number = first.get("number") if first else None
        if type(number) is not int:
            number = _signed_number(path)
        finished = not path.name.endswith(UNFINISHED)  # an unfinished folder without a first line has not begun
        runs += bool(first) or (finished and ((path / JOURNAL).exists() or (path / ENVELOPE).exists()))
        highest = max(highest, number)
        if finished and (path / ENVELOPE).is_file() and (number, path.name) > sealed:
            sealed, digest = (number, path.name), pack_digest(path)
    return max(highest, runs), digest  # where a number cannot be read, there are at least as many as there are runs


def pack_digest(pack: Path) -> str:
    """SHA-256 of the pack's envelope: the one value that stands for the whole pack.

    Errors: `Refused` when there is none.
    """
    try:
        return hashlib.sha256(files.content(pack / ENVELOPE, largest=files.LARGEST_ENVELOPE)).hexdigest()
    except OSError as error:
        raise Refused(f"{pack / ENVELOPE}: {error.strerror}", hint="name a sealed pack") from None


def _first_line(folder: Path) -> dict[str, Any]:
    """The data of the journal's first line; empty where there is none that can be read."""
    try:
        with files.opened(folder / JOURNAL) as source:
            line = source.readline(LONGEST_LINE)
        data = files.parsed(line)["data"] if line.endswith(b"\n") else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _signed_number(folder: Path) -> int:
    """The number in the seal, for a copy whose first line is redacted or damaged; 0 where there is none."""
    try:
        envelope = files.parsed(files.content(folder / ENVELOPE, largest=files.LARGEST_ENVELOPE))
        number = files.parsed(base64.b64decode(envelope["payload"]))["predicate"]["number"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
    return number if type(number) is int else 0
