"""Whether an archive of tar is whole: read from its beginning to its end, for a tool that restored it may not have."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

from harness.errors import DrillError
from harness.restores.sources.pieces import BROKEN, Unpacker, left, packing
from harness.restores.sources.storage import PIECE, Storage
from harness.system import clock
from harness.system.command import CommandFailed

STREAMS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gzip": lambda source: gzip.GzipFile(fileobj=source),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}


def through(storage: Storage, name: str, unpacker: Unpacker, *, within: timedelta) -> list[str]:
    """What is wrong with an archive, in words.

    Errors: `DrillError` where it is cut off; `NotReady` where it cannot be read; `NotInTime`, `Unable`.
    """
    begin = clock.mono()
    try:
        with _plain(storage, name, unpacker) as plain:
            counted = _Counted(plain)
            stream = io.BufferedReader(counted, PIECE)
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for _ in archive:
                    left(begin, within)
                end = archive.offset
            while stream.read(PIECE):
                left(begin, within)
            if counted.count <= end:  # behind its last file nothing says that it was the last
                raise EOFError("it ends without the end of an archive")
    except (tarfile.ReadError, EOFError) as error:
        hint = "no tool can restore all of it: restore another backup"
        raise DrillError(f"{name} is cut off: {error}", hint=hint) from None
    except (tarfile.TarError, *BROKEN) as error:
        return [f"{name} is damaged: {error}"]
    except CommandFailed as error:
        return [f"{name} is damaged: {error.message}"]
    return []


@contextmanager
def _plain(storage: Storage, name: str, unpacker: Unpacker) -> Iterator[IO[bytes]]:
    kind = packing(storage.part(name, 16))
    if kind in ("", *STREAMS):
        with storage.open(name) as source:
            if not kind:
                yield source
                return
            with STREAMS[kind](source) as plain:
                yield plain
        return
    packed = unpacker.work / "packed"
    try:
        storage.fetch(name, packed)
        with unpacker.open(packed) as plain:
            yield plain
    finally:
        packed.unlink(missing_ok=True)


class _Counted(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self.count += len(piece)
        return len(piece)
