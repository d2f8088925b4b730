"""Pieces of a WAL archive become plain files, and each is looked at: what packs it is told by its first bytes.

A gap in the archive, or a piece that is none, is said: it must not pass for the archive's end.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from harness.errors import NotInTime, Unable
from harness.restores import Programs
from harness.restores.sources import archived
from harness.restores.sources.base_backup_files import piece
from harness.restores.sources.storage import PIECE, Storage
from harness.stacks.parts.wal import is_segment
from harness.system import clock
from harness.system.command import CommandFailed, Commands

MAGIC = {
    b"\x1f\x8b\x08": "gzip",  # pigz writes the same
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
}
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "lz4": ".lz4", "snappy": ".snappy"}
PYTHONS: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
BROKEN = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
AT_ONCE = 2  # pieces that are fetched at a time


def packing(start: bytes) -> str:
    """What packs a file that begins so: a key of `ENDINGS`; empty where it is plain."""
    return next((name for magic, name in MAGIC.items() if start.startswith(magic)), "")


@dataclass(frozen=True)
class Unpacker:
    """`work`: a folder of ours, for what a program has to write. `within`: for one file."""

    programs: Programs
    commands: Commands
    work: Path
    within: timedelta

    @contextmanager
    def open(self, path: Path) -> Iterator[IO[bytes]]:
        """What is packed in a file, to be read from its beginning to its end.

        Errors: those of `BROKEN`, there and while it is read; `Unable` where nothing here unpacks it.
        """
        with path.open("rb") as source:
            kind = packing(source.read(16))
        if kind in ("", *PYTHONS):
            with PYTHONS.get(kind, open)(path, "rb") as content:
                yield content
            return
        plain = self.work / f"{path.name}.plain"
        try:
            self._run(kind, path, plain)
            with plain.open("rb") as content:
                yield content
        finally:
            plain.unlink(missing_ok=True)

    def _run(self, kind: str, path: Path, plain: Path) -> None:
        if kind == "snappy":
            _unpack_snappy(path, plain)
            return
        words = self.programs.words(kind, reads=[path], writes=[self.work])
        to = ["-o"] if kind == "zstd" else []
        self.commands.run([*words, "-d", "-q", "-f", str(path), *to, str(plain)], within=self.within, quiet=True)


def _unpack_snappy(path: Path, plain: Path) -> None:
    try:
        snappy = import_module("snappy")  # a package that Barman's users may have
    except ImportError:
        raise Unable("nothing here unpacks snappy", hint="pip install python-snappy") from None
    with path.open("rb") as source, plain.open("wb") as target:
        try:
            snappy.stream_decompress(source, target)
        except snappy.UncompressError as error:
            raise ValueError(str(error)) from None


def left(begin: int, within: timedelta) -> timedelta:
    """Errors: `NotInTime`."""
    rest = within - clock.since(begin)
    if rest <= timedelta(0):
        raise NotInTime(f"not restored within {within.total_seconds():g} s", hint="give it more time: backups: within")
    return rest


@dataclass(frozen=True)
class Pieces:
    """The pieces of one archive. `where`: each one's name, to the file of the storage that has it."""

    storage: Storage
    where: Mapping[str, str]
    segment: int  # bytes
    system: str  # whose they have to be; empty: nobody knows

    def bring(self, names: Sequence[str], into: Path, unpacker: Unpacker, *, within: timedelta) -> list[str]:
        """Plain, by their names, into a folder that is made. What is damaged is left out of it, and told in words.

        Errors: `NotInTime`, `NotReady`; `Unable` where nothing here unpacks them.
        """
        into.mkdir(parents=True, exist_ok=True)
        begin = clock.mono()

        def one(name: str) -> str:
            left(begin, within)
            return self._bring(name, into, unpacker)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                return [said for said in pool.map(one, names) if said]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _bring(self, name: str, into: Path, unpacker: Unpacker) -> str:
        packed, plain = unpacker.work / name, into / name
        self.storage.fetch(self.where[name], packed)
        try:
            with unpacker.open(packed) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target, PIECE)
            wrong = self._wrong(name, plain) if is_segment(name) else ""
        except (*BROKEN, CommandFailed) as error:
            wrong = f"it cannot be unpacked: {error.message if isinstance(error, CommandFailed) else error}"
        finally:
            packed.unlink(missing_ok=True)
        if wrong:
            plain.unlink(missing_ok=True)
            return f"{self.where[name]} of the archive is damaged, and nothing behind it can be replayed: {wrong}"
        return ""

    def _wrong(self, name: str, path: Path) -> str:
        """What is wrong with a plain segment, as far as its size and its first page say it."""
        size = path.stat().st_size
        if size != self.segment:
            return f"it has {size} bytes in place of {self.segment}"
        with path.open("rb") as source:
            head = piece(source.read(PIECE))
        if head is None:
            return "it does not begin as a piece of the write-ahead log does"
        if self.system and head.system != self.system:
            return f"it is of the system {head.system}, and not of {self.system}"
        if head.begin != archived.number(name, self.segment) * self.segment:
            return "it is another piece of the write-ahead log, under this name"
        return ""
