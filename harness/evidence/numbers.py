"""The numbers of the runs of each stream in one folder of evidence, and the chain of their packs.

Every run has a number, one more than the run before it in its stream, and names the digest of the pack before. No two
of a stream get the same number, for there is one run at a time in a folder (`harness.safety.begin`), and whoever runs
elsewhere at the same time has a stream of their own.

Anybody who can write the folder can write any number into it, so a number counts as far as it is vouched for:

- that of a pack whose seal a signature fits, by whichever key (keys change); also where its files were spoiled since;
- that of a receipt beside the packs (`harness.evidence.receipts`), so that a removed pack's number is not used again;
- both only up to `LEAP` more than there are runs: nobody has left out more, and whoever signs a greater one with a key
  of their own does not move the series;
- what nobody has signed (killed, damaged, junk) only where it is the very next one: each such folder moves the series
  by one at most, and a greater number says nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.evidence import files, receipts, verify
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import VERSION
from harness.evidence.reading import first

ENVELOPE = "pack.dsse.json"
UNFINISHED = ".unfinished"
NONE = "none"
MAIN = verify.MAIN
LEAP = 10_000  # runs that may have been removed from a folder: 27 years of one a day


@dataclass(frozen=True)
class _Claim:
    """What a folder says of itself, believed by nobody yet. 0: no number that can be read."""

    path: Path
    stream: str
    number: int


def newest(evidence: Path, *, stream: str = MAIN) -> tuple[int, str]:
    """The highest number used of the stream (0: none), and what its next run calls the newest pack (or "none").

    Verifies from the highest number down, until one pack's signature fits. Errors: `Refused` for odd receipts.
    """
    if not evidence.is_dir():
        return 0, NONE
    folders = sorted(path for path in evidence.iterdir() if path.is_dir() and not path.is_symlink())
    found = [_Claim(path, *claimed(path)) for path in folders if _was_a_run(path)]
    claims = [claim for claim in found if claim.stream == stream or not claim.number]
    told = {number for of, number in receipts.numbers(evidence) if of == stream}
    top = most(len(claims) + len(told))
    highest, digest = 0, NONE
    for claim in sorted(claims, key=lambda each: (each.number, each.path.name), reverse=True):
        if 0 < claim.number <= top and not claim.path.name.endswith(UNFINISHED):
            report = _verified(claim.path)
            if report and (verify.stream_of(report), report.facts["number"]) == (stream, claim.number):
                highest, digest = claim.number, report.called_by(VERSION)
                break
    highest = max([highest, *(number for number in told if number <= top)])
    highest = one_by_one(highest, (claim.number for claim in claims))
    unread = sum(not claim.number for claim in claims)  # each has used a number, and nobody can say which, or where
    return max(highest, len({claim.number for claim in claims if 0 < claim.number <= highest}) + unread), digest


def most(runs: int) -> int:
    """The greatest number that is believed in a folder of so many runs."""
    return LEAP + runs


def one_by_one(highest: int, unsigned: Iterable[int]) -> int:
    """The highest number, where each of those that nobody has signed may be the next one and no more."""
    for number in sorted(unsigned):
        if number == highest + 1:
            highest = number
    return highest


def pack_digest(pack: Path, *, version: int = VERSION) -> str:
    """What a run of this format calls the pack before it: SHA-256 of what was signed (format 1: of the envelope).

    Errors: `Refused` when there is none.
    """
    if version > 1 and (signed := verify.signed_digest(pack)):
        return signed
    try:
        return hashlib.sha256(files.content(pack / ENVELOPE, largest=files.LARGEST_ENVELOPE)).hexdigest()
    except OSError as error:
        raise Refused(f"{pack / ENVELOPE}: {error.strerror}", hint="name a sealed pack") from None


def claimed(folder: Path) -> tuple[str, int]:
    """Stream and number in the seal, else in the journal's first line; the number is 0 where none can be read."""
    for read in (_sealed, _first):
        try:
            said = read(folder)
            number, stream = said["number"], said.get("stream", MAIN)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if type(number) is int and number > 0 and isinstance(stream, str):
            return stream, number
    return MAIN, 0


def _verified(pack: Path) -> verify.Report | None:
    """What the verifier says, where a signature fits the seal."""
    try:
        report = verify.verify_pack(pack)
    except (verify.BadInput, OSError):
        return None
    return report if verify.is_placed(report) else None


def _was_a_run(folder: Path) -> bool:
    """An unfinished folder without a first line has not begun; anything else with a journal or a seal has."""
    if folder.name.endswith(UNFINISHED):
        return bool(verify.first_line(folder))
    try:
        return any((folder / name).is_file() for name in (JOURNAL, ENVELOPE))
    except OSError:
        return True  # nobody can look into it


def _first(folder: Path) -> Any:
    return first(folder / JOURNAL)["data"]


def _sealed(folder: Path) -> Any:
    envelope = verify.parsed(verify.content_of(folder / ENVELOPE))
    return verify.parsed(verify.from_base64(envelope["payload"]))["predicate"]
