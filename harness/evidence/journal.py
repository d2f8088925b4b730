"""The journal: everything that happened in a run, one JSON line a fact, each chained to the one before.

Writing only; the format is in docs/journal.md. The line is durable when `record` returns. Nothing that is written is
ever changed: only a line torn by a kill or by a full disk is cut off, and the cut is itself recorded.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import DrillError, Refused
from harness.evidence.lines import GENESIS, NAME, VERSION, Line, NothingBegan, parse
from harness.evidence.redact import Redactor
from harness.system import clock
from harness.system.clock import Stamp, utc_text
from harness.system.durable import sync_folder


class JournalBusy(Refused):
    """Another process writes this journal."""


class JournalFull(DrillError):
    """The disk took no more; what is in the journal stays readable."""


@dataclass(frozen=True)
class _Tip:
    """Where the next line goes, its number, and the digest it chains to."""

    size: int
    seq: int
    prev: str


class Journal:
    """A recorder that writes to `journal.jsonl`. Threads may share it; a signal handler must not use it."""

    def __init__(self, handle: int, path: Path, tip: _Tip, redactor: Redactor) -> None:
        """Use `create` or `resume`."""
        self._path = path
        self._handle = handle
        self._tip = tip
        self._redactor = redactor
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def create(cls, folder: Path, *, redactor: Redactor | None = None) -> Journal:
        """A new journal in `folder`, which is made where it is missing.

        Errors: `Refused` when there is one already or the folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise Refused(f"{folder / NAME}: there is a journal already", hint="give the run another name") from None
        except OSError as error:
            raise Refused(f"{folder / NAME}: {error.strerror}", hint="give a folder that can be written to") from None
        _claim(handle, folder / NAME)
        sync_folder(folder)
        return cls(handle, folder / NAME, _Tip(size=0, seq=0, prev=GENESIS), redactor or Redactor())

    @classmethod
    def resume(cls, folder: Path, *, redactor: Redactor | None = None) -> Journal:
        """Go on with the journal of a run that was killed, on which boot; a torn last line becomes the fact `torn`.

        Errors: `JournalBusy` when the run is alive; `NothingBegan` when it holds no whole line (then nothing was
        started, and the folder can be removed); `JournalDamaged` when what it holds is not a chain.
        """
        path = folder / NAME
        try:
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}", hint="name the folder of a run") from None
        try:
            _claim(handle, path)
            content = path.read_bytes()
            whole, newline, torn = content.rpartition(b"\n")
            lines = parse(whole + newline, path)
            if not lines:
                raise NothingBegan(path)
        except BaseException:
            os.close(handle)
            raise
        tip = _Tip(size=len(whole) + 1, seq=lines[-1].seq + 1, prev=lines[-1].digest)
        journal = cls(handle, path, tip, redactor or Redactor())
        if lines[-1].kind != "run.end":
            journal.record("resumed", boot=clock.boot())  # first of all: the monotonic clock may have begun anew
        if torn:
            journal.record("torn", bytes=len(torn), sha256=hashlib.sha256(torn).hexdigest())
        return journal

    def keep_out(self, redactor: Redactor) -> None:
        """From now on mask with this one: secrets become known once there is a stack."""
        self._redactor = redactor

    def record(self, kind: str, /, **data: Any) -> None:
        """Write one fact; it is durable when this returns. Secrets and personal data in it are masked.

        Errors: `JournalFull` when the disk takes no more; the journal can be used again once there is room.
        """
        if os.getpid() != self._owner:
            raise DrillError("a forked child wrote to its parent's journal", hint="let the parent record it")
        clean = self._redactor.mask(data)
        with self._lock:
            if self._closed:
                raise DrillError(f"{kind!r} was recorded after the journal was closed", hint="please report this")
            tip = self._tip
            line = line_bytes(tip, clock.now(), kind, clean)
            try:
                _write(self._handle, line + b"\n", at=tip.size)
                os.fsync(self._handle)
                # cuts what a torn line has left behind, once its successor is safe
                os.ftruncate(self._handle, tip.size + len(line) + 1)
                self._tip = _Tip(tip.size + len(line) + 1, tip.seq + 1, hashlib.sha256(line).hexdigest())
            except OSError as error:
                self._cut()
                raise JournalFull(
                    f"the journal cannot be written: {error.strerror}",
                    hint="free some space where the evidence lies, then run `drdrill heal`",
                ) from None
            except BaseException:  # Ctrl-C in the middle: the fact is whole in the journal or not there at all
                self._cut()
                raise

    def lines(self) -> list[Line]:
        """What has been recorded so far, read back from the disk and checked."""
        tip = self._tip
        return parse(os.pread(self._handle, tip.size, 0), self._path)

    def _cut(self) -> None:
        try:
            os.ftruncate(self._handle, self._tip.size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS):
                raise
            # the torn line stays, and is cut by the next record or by resume

    def close(self) -> None:
        """Nothing more is recorded, and another process may resume it."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._handle)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def line_bytes(tip: _Tip, stamp: Stamp, kind: str, data: dict[str, Any]) -> bytes:
    """The line without its newline. Errors: `DrillError` when `data` is not JSON."""
    fields = {
        "v": VERSION,
        "seq": tip.seq,
        "prev": tip.prev,
        "salt": os.urandom(16).hex(),
        "utc": utc_text(stamp.utc),
        "mono": stamp.mono,
        "kind": kind,
        "data": data,
    }
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DrillError(f"the fact {kind!r} is not JSON: {error}", hint="please report this") from None


def _write(handle: int, content: bytes, *, at: int) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(handle, content[done:], at + done)


def _claim(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalBusy(
            f"{path}: the run is alive, and its own process writes this journal",
            hint="wait for it, or end it with `drdrill stop`",
        ) from None
