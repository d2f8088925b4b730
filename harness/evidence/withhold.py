"""A copy of a pack that shows less: lines of the journal, and whole files, replaced by their digests.

It takes no key and no signature changes, so the copy verifies as the pack does, and completeness is `UNKNOWN`, with
what was withheld. Never a field of a line: what is withheld is a line or a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from harness.errors import Refused
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.numbers import ENVELOPE
from harness.evidence.verify import NEVER_WITHHELD, WITHHELD, verify_pack


def redact_copy(pack: Path, out: Path, lines: Iterable[int] = (), files: Iterable[str] = ()) -> Path:
    """Copy a sealed pack to `out`, with the journal's `lines` (the first is 1) and `files` replaced by their digests.

    The other files are copied as they are: what a line says may stand in a report or a log too. Errors: `Refused`.
    """
    hidden, away = set(lines), set(files)
    if not (hidden or away):
        raise Refused("nothing is to be withheld", hint="name lines with --line N, or files with --file NAME")
    _must_be_sound(pack)
    if any((folder / ENVELOPE).exists() for folder in (out.absolute(), *out.absolute().parents)):
        raise Refused(f"{out} lies inside a pack", hint="a sealed pack is not written to; choose another folder")
    return copy_without(pack, out, hidden, away)


def copy_without(pack: Path, out: Path, hidden: set[int], away: set[str]) -> Path:
    """The same of whatever lies there, sound or not. Errors: `Refused`."""
    try:
        journal = (pack / JOURNAL).read_bytes().split(b"\n")[:-1]
        there = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
        if not hidden <= set(range(1, len(journal) + 1)):
            raise Refused(f"{pack / JOURNAL} has the lines 1 to {len(journal)}", hint="name lines that are there")
        shown = NEVER_WITHHELD | {name for name in there if name.endswith(WITHHELD)}  # once is enough
        if wrong := sorted(name for name in away if name not in there or name in shown):
            gone = f"{wrong[0]}{WITHHELD}" in there
            what = "is withheld already" if gone else "is always shown" if wrong[0] in shown else "is not in the pack"
            raise Refused(f"{pack}: {wrong[0]!r} {what}", hint="name a file of the pack, such as a ledger or a log")
        out.mkdir(parents=True)
        for name in sorted(there):
            content = (pack / name).read_bytes()
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            if name in away:
                (out / f"{name}{WITHHELD}").write_bytes(_in_place_of(content))
            else:
                (out / name).write_bytes(content)
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}", hint="name a sealed pack and a new folder") from None
    told = [_withheld(line, seq) if seq + 1 in hidden else line for seq, line in enumerate(journal)]
    (out / JOURNAL).write_bytes(b"".join(line + b"\n" for line in told))
    return out


def _must_be_sound(pack: Path) -> None:
    """Nothing is copied that was not sealed: no link is followed, and no pipe waited for. Errors: `Refused`."""
    wrong = [each for each in verify_pack(pack).problems if each.question == "integrity"]
    if wrong:
        raise Refused(f"{pack}: it does not verify: {wrong[0].text}", hint="copy what `drdrill verify` finds sound")


def _in_place_of(content: bytes) -> bytes:
    return b'{"v":2,"withheld":"%s"}\n' % hashlib.sha256(content).hexdigest().encode()


def _withheld(line: bytes, seq: int) -> bytes:
    """The line's own format stays: a journal may not go back to an older one."""
    fields = json.loads(line)
    if "redacted" in fields:  # once is enough
        return line
    return b'{"v":%d,"seq":%d,"redacted":"%s"}' % (fields["v"], seq, hashlib.sha256(line).hexdigest().encode())
