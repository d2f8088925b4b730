"""Repositories of Barman's, small and made by hand after real ones: entries, base backups, and an archive."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.errors import Unable
from harness.restores import Place
from harness.restores.programs.left import Mark
from harness.restores.programs.place import OwnPlace
from harness.system.command import Commands
from harness.system.recorder import Memory

COMMANDS = Commands(Memory(), label="unit")
WITHIN = timedelta(minutes=1)
SEGMENT = 1 << 20  # the smallest that initdb takes
SYSTEM = "7713908852191713072"
ID = "20261130T102936"
FIRST = "000000010000000000000004"
# As Barman 3.19.1 wrote it of a PostgreSQL 18, but for the size of a segment and of the files.
INFO = {
    "backup_label": r"'START WAL LOCATION: 0/400028 (file 000000010000000000000004)\nSTART TIMELINE: 1\n'",
    "begin_offset": "40",
    "begin_time": "2026-11-30 10:29:36.739830+00:00",
    "begin_wal": FIRST,
    "begin_xlog": "0/400028",
    "children_backup_ids": "None",
    "cluster_size": "38060305",
    "compression": "None",
    "config_file": "/var/lib/postgresql/18/postgresql.conf",
    "copy_stats": "{'copy_time': 187.661462, 'total_time': 187.661462}",
    "data_checksums": "on",
    "deduplicated_size": "None",
    "encryption": "None",
    "end_time": "2026-11-30 11:32:44.412011+01:00",
    "end_wal": FIRST,
    "end_xlog": "0/500000",
    "error": "None",
    "mode": "postgres",
    "parent_backup_id": "None",
    "pgdata": "/var/lib/postgresql/18",
    "server_name": "main",
    "size": "None",
    "status": "DONE",
    "systemid": SYSTEM,
    "tablespaces": "[('big', 16389, '/original/big')]",
    "timeline": "1",
    "version": "180006",
    "xlog_segment_size": str(SEGMENT),
}


def info(**changed: str) -> bytes:
    """A backup.info."""
    return "".join(f"{key}={value}\n" for key, value in {**INFO, **changed}.items()).encode()


def segment(number: int, *, system: str = SYSTEM, size: int = SEGMENT) -> bytes:
    """A piece of the write-ahead log with nothing but its first page's header."""
    head = struct.pack("<HHIQI4xQII", 0xD118, 2, 1, number * SEGMENT, 0, int(system), SEGMENT, 8192)
    return head + bytes(size - len(head))


def name(number: int) -> str:
    return f"{1:08X}{number // 4096:08X}{number % 4096:08X}"


def tar(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()


@dataclass
class Home:
    """A barman_home."""

    root: Path
    listed: dict[str, str] = field(default_factory=dict)

    @property
    def server(self) -> Path:
        return self.root / "main"

    def base(self, id: str = ID) -> Path:
        return self.server / "base" / id

    def backup(self, id: str = ID, *, entry: bytes | None = None, old: bool = False) -> None:
        """A base backup by Barman, plain. `old`: laid out as before 3.13.2."""
        write(self.base(id) / "data" / "PG_VERSION", b"18\n")
        write(self.base(id) / "data" / "backup_label", b"START WAL LOCATION: 0/400028\n")
        write(self.base(id) / "data" / "postmaster.pid", b"1\n")
        write(self.base(id) / "data" / "base" / "5" / "1259", b"rows")
        (self.base(id) / "data" / "pg_notify").mkdir()
        (self.base(id) / "data" / "pg_tblspc").mkdir()
        (self.base(id) / "data" / "pg_tblspc" / "16389").symlink_to("/original/big")
        write(self.base(id) / "16389" / "PG_18_202506291" / "5" / "16390", b"big rows")
        self.entry(info() if entry is None else entry, id, old=old)

    def entry(self, content: bytes, id: str = ID, *, old: bool = False) -> None:
        write(self.base(id) / "backup.info" if old else self.server / "meta" / f"{id}-backup.info", content)

    def archive(self, *numbers: int) -> None:
        for number in numbers:
            self.piece(name(number), gzip.compress(segment(number)))

    def piece(self, named: str, content: bytes, *, listed: bool = True) -> Path:
        at = self.server / "wals" / ("" if named.endswith(".history") else named[:16])
        write(at / named, content)
        if listed:
            self.listed[named] = f"{named}\t{len(content)}\t1796034763.24\tgzip\tNone\n"
        self.write_list()
        return at / named

    def write_list(self) -> None:
        write(self.server / "wals" / "main-xlog.db", "".join(self.listed.values()).encode())


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


class Given:
    """Fills `Programs` with what is in a folder, and nothing of this machine but what it names."""

    said = "this machine"
    read_only = ""

    def __init__(self, folder: Path | None = None, *usual: str) -> None:
        self._folder, self._usual = folder, usual

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        if self._folder and (self._folder / program).exists():
            return [str(self._folder / program)]
        if program in self._usual:
            return [program]
        raise Unable(f"there is no {program} on this machine", hint=f"install {program}")

    def place(self, folder: Path, version: int) -> Place:
        raise AssertionError("no place is made here")

    def script(self, program: str, text: str) -> None:
        assert self._folder is not None
        write(self._folder / program, f"#!/bin/sh\n{text}\n".encode())
        (self._folder / program).chmod(0o755)


class NoRoom:
    """Fills `Room`: nothing is run in it."""

    isolation = ""

    def bin(self) -> Path:
        return Path("/nonexistent")

    def words(self, argv: Sequence[str], *, server: bool, env: Sequence[str] = ()) -> list[str]:
        return list(argv)

    def make(self, mark: Mark, kept: Sequence[Path]) -> None:
        """It is there."""

    def owner(self) -> int | None:
        return None

    def reach(self, address: str) -> str:
        return "refused"


def place(folder: Path) -> OwnPlace:
    return OwnPlace(folder, 18, room=NoRoom(), commands=COMMANDS)
