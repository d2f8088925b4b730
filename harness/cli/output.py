"""Files that a command writes where it was told to: each is whole, or what was there before stays as it is."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.errors import Refused

ALIKE = 5  # bytes: of a calendar, XML and a page they differ
LARGEST = 1_000_000  # bytes of an older file that is looked at
ELSEWHERE = "free some space, or write elsewhere: to a place where you may write"


def older(path: Path) -> bytes:
    """What is in a file that is about to be written over; nothing where it is none, is too large or cannot be read."""
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST else b""
    except OSError:
        return b""


def put(path: Path, content: bytes) -> None:
    """Write beside and rename. A device or a pipe (`/dev/stdout`) is written to as it is.

    Errors: `Refused`, with the file's name; nothing of it is left then, and what was there before is untouched.
    """
    try:
        target = path.resolve()  # a link stays one
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        fresh = target.with_name(f".{os.getpid()}.new")  # short: the name itself may be as long as names can be
        try:
            fresh.write_bytes(content)
            if target.exists():
                shutil.copymode(target, fresh)
            fresh.rename(target)
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}", hint=ELSEWHERE) from None


def put_outside(path: Path, content: bytes, evidence: Path) -> None:
    """Errors: `Refused` where it would lie inside a pack, its folder is not there, or it cannot be written."""
    home, packs = path.resolve().parent, evidence.resolve()
    if home.is_relative_to(packs) and home != packs:
        raise Refused(f"{path} lies inside the evidence", hint="a sealed pack is not written to; choose another file")
    if not path.parent.is_dir():
        raise Refused(f"{path}: there is no folder {path.parent}", hint="make the folder, or choose another file")
    must_be_alike(path, content)
    put(path, content)


def must_be_alike(path: Path, content: bytes) -> None:
    """Errors: `Refused` where a file is there that does not begin as what would be written over it."""
    there = older(path) if path.is_file() else b""
    if there and there[:ALIKE] != content[:ALIKE]:
        raise Refused(
            f"{path}: there is another file of this name, of another kind", hint="choose another name, or move it away"
        )


def put_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """All of them, in a folder that is made where it is not there. Errors: `Refused`; one that was made is gone."""
    there = os.path.lexists(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            put(folder / name, content)
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror or error}", hint=ELSEWHERE) from None
    except Refused:
        if not there:
            shutil.rmtree(folder, ignore_errors=True)
        raise
