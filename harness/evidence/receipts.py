"""Receipts: a line at the start of a run and one at its end, for an auditor who is sent them as they come.

They bind the folder to what was told while the runs went on: a pack that was removed, replaced or repeated afterwards
differs from them (`harness.evidence.verify`, which reads them). Here they are written: `receipts.txt` beside the packs,
where lines are added and never changed. A run that never came to its first line has none; one that was killed gets its
second when it is healed and sealed. The format is in docs/journal.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from harness.errors import DrillError, Refused
from harness.evidence import verify
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.reading import first
from harness.evidence.verify import Receipt
from harness.system.durable import sync_folder

NAME = verify.RECEIPTS
HINT = "move it away, and mend the permission or the room: the receipts of the runs are written there"


def begun(folder: Path) -> Receipt:
    """The receipt of a run's start, from the first line of its journal. Errors: `DrillError`."""
    try:
        return _begun(first(folder / JOURNAL)["data"], verify.first_line(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DrillError(f"{folder / JOURNAL}: it has no first line of a run", hint="run `drdrill verify`") from None


def announced(line: dict[str, Any]) -> Receipt:
    """The same, from the line as it was parsed: the journal has one accepted form. Errors: `KeyError`."""
    raw = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return _begun(line["data"], hashlib.sha256(raw).hexdigest())


def _begun(data: dict[str, Any], digest: str) -> Receipt:
    return Receipt(
        data["number"], nonce=verify.nonce_word(data["nonce"]), first=digest, stream=data.get("stream", verify.MAIN)
    )


def ended(pack: Path) -> Receipt:
    """The receipt of a run's end, from its sealed pack. Errors: `DrillError`."""
    payload = verify.signed_digest(pack)
    if not payload:
        raise DrillError(f"{pack}: it has no seal that can be read", hint="name a pack that `drdrill run` has sealed")
    start = begun(pack)
    return Receipt(start.number, payload=payload, stream=start.stream)


def both(pack: Path) -> list[Receipt]:
    """Those of a run that is sealed. Errors: `DrillError`."""
    return [begun(pack), ended(pack)]


def add(evidence: Path, receipt: Receipt) -> None:
    """Write one, unless it is there; it is durable when this returns.

    Errors: `Refused` where `receipts.txt` cannot be written or is no plain file.
    """
    if receipt in read(evidence):
        return
    path = evidence / NAME
    try:
        handle = _open(path)
        try:
            size = os.fstat(handle).st_size
            torn = size and os.pread(handle, 1, size - 1) != b"\n"  # by a kill: what is left of it stays
            content = (b"\n" if torn else b"") + f"{receipt.line}\n".encode()
            if os.write(handle, content) != len(content):
                os.ftruncate(handle, size)
                raise OSError(0, "the disk is full")
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(evidence)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", hint=HINT) from None


def must_be_writable(evidence: Path) -> None:
    """Told before anything begins. Errors: `Refused`."""
    try:
        os.close(_open(evidence / NAME))
    except OSError as error:
        raise Refused(f"{evidence / NAME}: {error.strerror}", hint=HINT) from None


def read(evidence: Path) -> list[Receipt]:
    """The receipts beside the packs; what is damaged in the file is left out. Errors: `Refused` for an odd file."""
    path = evidence / NAME
    if not os.path.lexists(path):
        return []
    try:
        with verify.opened(path) as source:
            return verify.receipts_in(source.read(verify.LARGEST_MAILS))[0]
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", hint=HINT) from None


def numbers(evidence: Path) -> set[tuple[str, int]]:
    """The streams and numbers that they speak of. Errors: `Refused` for an odd file."""
    return {(receipt.stream, receipt.number) for receipt in read(evidence)}


def complete(evidence: Path) -> list[Receipt]:
    """Write the end of each run that was sealed and killed before that; returns what was added. Errors: `Refused`."""
    found = read(evidence)
    have = {(receipt.stream, receipt.number) for receipt in found if receipt.payload}
    waiting = {each.first for each in found if not each.payload and (each.stream, each.number) not in have}
    added = []
    for pack in sorted(path for path in evidence.iterdir() if path.is_dir()) if waiting else ():
        if verify.first_line(pack) in waiting and verify.is_placed(verify.verify_pack(pack)):
            waiting.discard(verify.first_line(pack))
            added.append(ended(pack))
            add(evidence, added[-1])
    return added


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, flags, 0o644)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a plain file")
    return handle
