"""Archives of tar, whole or only their beginning, written out by us: nothing in one decides where a file goes.

Of what an archive has only files and folders are written; a link in one is left out and named.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import IO, cast

from harness.errors import DrillError, Unable
from harness.restores.sources.storage import Storage
from harness.system.command import Commands

PROGRAMS = {".zst": "zstd", ".lz4": "lz4"}
ENDINGS = ("", ".gz", *PROGRAMS)
HEAD = 1 << 18  # bytes: a block of each of them is in it
BUFFER = 1 << 20  # bytes that are read at a time
SOON = timedelta(seconds=60)
BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


class Damaged(DrillError):
    """An archive that cannot be read to its end."""


def unpacked(name: str) -> str:
    """Without the ending of a compression."""
    return next((name.removesuffix(ending) for ending in ENDINGS if ending and name.endswith(ending)), name)


def unpack(storage: Storage, name: str, into: Path, *, commands: Commands, within: timedelta) -> tuple[int, list[str]]:
    """Write all of it below `into`; how many bytes, and what was left out. Modes are the owner's alone.

    Errors: `Damaged`; `NotReady` where it cannot be read; `Unable` without the program that it takes.
    """
    size, left = 0, []
    with _plain(storage, name, into.parent, commands, within) as source:
        try:
            with tarfile.open(fileobj=source, mode="r|", bufsize=BUFFER) as archive:
                for member in archive:
                    target = into / inside(member.name, of=name)
                    if member.isdir():
                        target.mkdir(parents=True, exist_ok=True, mode=0o700)
                    elif member.isreg():
                        content = archive.extractfile(member)
                        assert content is not None
                        size += write(content, target)
                    elif not member.issym() or not member.name.startswith(("pg_tblspc/", "./pg_tblspc/", "pg_wal")):
                        left.append(f"{name}: {member.name} is neither file nor folder, and was left out")
        except BROKEN as error:
            raise _damaged(name, error) from None
    return size, left


def inside(name: str, *, of: str) -> PurePosixPath:
    """Errors: `Damaged` where a name leads out."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        hint = "no backup has such a name: look at who could write to the repository"
        raise Damaged(f"{of} has a file {name!r}, which leads out of the place", hint=hint)
    return path


def write(content: IO[bytes], target: Path) -> int:
    """A new file; how many bytes. No link is followed, for none is ever made."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("xb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
        return file.tell()


def beginning(storage: Storage, name: str, *, commands: Commands) -> bytes:
    """The first bytes of it, plain: as many as there are in its beginning. Errors: as `unpack`."""
    head = storage.part(name, HEAD)
    if name.endswith(".gz"):
        return _started(name, head)
    if not _program(name):
        return head
    with tempfile.TemporaryDirectory(prefix="drdrill-") as folder:
        packed, plain = Path(folder) / "head", Path(folder) / "plain"
        packed.write_bytes(head)
        _decompress(name, packed, plain, commands, SOON, whole=False)
        with plain.open("rb") as file:
            return file.read(HEAD)


def _started(name: str, head: bytes) -> bytes:
    """What is in the beginning of a file of gzip, which may have several parts."""
    found = b""
    with gzip.GzipFile(fileobj=io.BytesIO(head)) as source:
        try:
            while len(found) < HEAD and (piece := source.read1(HEAD)):
                found += piece
        except EOFError:
            return found
        except (zlib.error, gzip.BadGzipFile) as error:
            if not found:
                raise _damaged(name, error) from None
    return found


def members(head: bytes) -> Iterator[tuple[str, bytes]]:
    """Those files that are in the beginning of an archive; of the last one, what there is."""
    at, block = 0, tarfile.BLOCKSIZE
    while at + block <= len(head):
        try:
            member = tarfile.TarInfo.frombuf(head[at : at + block], "utf-8", "surrogateescape")
        except tarfile.TarError:
            return
        at += block
        if member.isreg():
            yield member.name.removeprefix("./"), head[at : at + member.size]
        at += -(-member.size // block) * block


def find(storage: Storage, name: str, wanted: str, *, commands: Commands, within: timedelta) -> bytes:
    """One small file of an archive, which is read until it comes; empty where it has none. Errors: as `unpack`."""
    with (
        tempfile.TemporaryDirectory(prefix="drdrill-") as folder,
        _plain(storage, name, Path(folder), commands, within) as source,
    ):
        try:
            with tarfile.open(fileobj=source, mode="r|", bufsize=BUFFER) as archive:
                for member in archive:
                    if member.isreg() and member.name.removeprefix("./") == wanted:
                        content = archive.extractfile(member)
                        return content.read(HEAD) if content else b""
        except BROKEN as error:
            raise _damaged(name, error) from None
    return b""


@contextmanager
def _plain(storage: Storage, name: str, beside: Path, commands: Commands, within: timedelta) -> Iterator[IO[bytes]]:
    """Its content without compression. Where a program of its own takes that off, there is a copy for as long."""
    if not _program(name):
        with storage.open(name) as source:
            if not name.endswith(".gz"):
                yield source
                return
            with gzip.GzipFile(fileobj=source) as plain:
                yield cast(IO[bytes], plain)
        return
    with tempfile.TemporaryDirectory(prefix="packed-", dir=beside) as folder:
        packed, whole = Path(folder) / "packed", Path(folder) / "plain"
        storage.fetch(name, packed)
        _decompress(name, packed, whole, commands, within, whole=True)
        packed.unlink()
        with whole.open("rb") as file:
            yield file


def _program(name: str) -> str:
    return next((each for ending, each in PROGRAMS.items() if name.endswith(ending)), "")


def _decompress(
    name: str, packed: Path, plain: Path, commands: Commands, within: timedelta, *, whole: bool
) -> None:  # fmt: skip  # parameters in groups
    program = _program(name)
    if not shutil.which(program):
        raise Unable(f"there is no {program} here, which the backup is compressed with", hint=f"install {program}")
    argv: list[str | Path] = ["sh", "-c", 'exec "$0" -dcq < "$1" > "$2"', program, packed, plain]
    done = commands.run(argv, within=within, check=False)
    if whole and not done.ok:
        raise _damaged(name, done.err.strip() or f"exit code {done.exit}")


def _damaged(name: str, why: object) -> Damaged:
    return Damaged(f"{name} is damaged: {why}", hint="it cannot be read to its end; take another backup")
