"""The numbers of the runs in one folder of evidence, and the chain of their packs.

Every run has a number, one more than the run before, and names the digest of the pack before. Two runs that begin at
once cannot get the same number: whoever begins holds a lock on `.lock` in the folder until its pack is sealed, and
the kernel lets it go when that process ends, however it ends. So there is one run at a time in a folder.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence.lines import NAME as JOURNAL

LOCK = ".lock"
ENVELOPE = "pack.dsse.json"
UNFINISHED = ".unfinished"
NONE = "none"
LONGEST_LINE = 1 << 24  # bytes


@dataclass(frozen=True)
class Turn:
    """This run's number, and the digest of the pack before it (or "none")."""

    number: int
    previous: str


class FolderBusy(Refused):
    """Another run, or a heal, works in this folder."""


class LeftUnfinished(Refused):
    """A run in this folder was killed and is not sealed yet."""


@contextmanager
def claim(evidence: Path) -> Iterator[Turn]:
    """Hold the folder for one run, from before its first line until its pack is sealed.

    Errors: `FolderBusy`; `LeftUnfinished` while a killed run waits for `drdrill heal`: its pack must come first, or
    two packs would name the same one before them.
    """
    with hold(evidence):
        if left := unfinished(evidence):
            raise LeftUnfinished(
                f"{evidence / left[0]}: this run was not finished",
                hint="run `drdrill heal`: it heals what is hurt and seals the pack",
            )
        number, previous = newest(evidence)
        yield Turn(number + 1, previous)


@contextmanager
def hold(evidence: Path) -> Iterator[None]:
    """Hold the folder, for whoever heals or seals in it. A forked child holds it too until it ends.

    Errors: `FolderBusy`.
    """
    try:
        evidence.mkdir(parents=True, exist_ok=True)
        handle = os.open(evidence / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Refused(f"{evidence}: {error.strerror}", hint="give a folder that can be written to") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderBusy(
                f"{evidence}: a run is going on in this folder",
                hint="wait for it, or give this one a folder of its own",
            ) from None
        yield
    finally:
        os.close(handle)


def unfinished(evidence: Path) -> list[str]:
    """The names of the folders of runs that began and are not sealed."""
    folders = sorted(path for path in evidence.glob(f"*{UNFINISHED}") if path.is_dir())
    return [path.name for path in folders if _first_line(path)]


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
        return hashlib.sha256((pack / ENVELOPE).read_bytes()).hexdigest()
    except OSError as error:
        raise Refused(f"{pack / ENVELOPE}: {error.strerror}", hint="name a sealed pack") from None


def _first_line(folder: Path) -> dict[str, Any]:
    """The data of the journal's first line; empty where there is none that can be read."""
    try:
        with (folder / JOURNAL).open("rb") as source:
            line = source.readline(LONGEST_LINE)
        data = json.loads(line)["data"] if line.endswith(b"\n") else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _signed_number(folder: Path) -> int:
    """The number in the seal, for a copy whose first line is redacted or damaged; 0 where there is none."""
    try:
        envelope = json.loads((folder / ENVELOPE).read_bytes())
        number = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["number"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
    return number if type(number) is int else 0
