"""Base backups as pg_basebackup leaves them, as far as a source looks at them: small, and of no database."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from harness.restores.sources.archived import named
from harness.restores.sources.base_backup_files import LONG_HEADER

SIZE = 1 << 20  # of a segment
SYSTEM = 7713909358888659484
MAGIC_15 = 0xD110


def segment(number: int, *, system: int = SYSTEM, line: int = 1, magic: int = MAGIC_15) -> bytes:
    return LONG_HEADER.pack(magic, 2, line, number * SIZE, 0, system, SIZE, 8192).ljust(SIZE, b"\0")


def name(number: int, line: int = 1) -> str:
    return named(line, number, SIZE)


def lsn(number: int) -> str:
    return f"0/{number * SIZE + 0x28:X}"


def label(number: int, *, time: str = "2026-11-30 10:38:11 UTC", after: str = "") -> bytes:
    text = (
        f"START WAL LOCATION: {lsn(number)} (file {name(number)})\nCHECKPOINT LOCATION: {lsn(number)}\n"
        f"BACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: {time}\nLABEL: a\nSTART TIMELINE: 1\n"
    )
    return (text + (f"INCREMENTAL FROM LSN: {after}\nINCREMENTAL FROM TLI: 1\n" if after else "")).encode()


def manifest(files: Mapping[str, bytes], number: int, *, system: int = 0, time: str = "2026-11-30 10:38:12") -> bytes:
    """With its own checksum. `system`: as from 17 on."""
    lines = [
        f'{{ "Path": "{each}", "Size": {len(content)}, "Last-Modified": "{time} GMT" }}'
        for each, content in files.items()
    ]
    head = f'"PostgreSQL-Backup-Manifest-Version": {2 if system else 1},\n'
    whole = "{ " + head + (f'"System-Identifier": {system},\n' if system else "")
    whole += '"Files": [\n' + ",\n".join(lines) + "\n],\n"
    ends = f"0/{number * SIZE + 0x100:X}"
    whole += f'"WAL-Ranges": [\n{{ "Timeline": 1, "Start-LSN": "{lsn(number)}", "End-LSN": "{ends}" }}\n],\n'
    return (whole + f'"Manifest-Checksum": "{hashlib.sha256(whole.encode()).hexdigest()}"}}\n').encode()


def content(number: int, **more: str) -> dict[str, bytes]:
    """What is in a data directory."""
    return {
        "backup_label": label(number, **more),
        "PG_VERSION": b"15\n",
        "base/1/1259": b"rows" * 100,
        "global/pg_control": SYSTEM.to_bytes(8, "little") + bytes(100),
    }


def plain(folder: Path, number: int, *, wal: bool = True, listed: bool = True, **more: str) -> Path:
    files = content(number, **more)
    if listed:
        files = {**files, "backup_manifest": manifest(files, number)}
    if wal:
        files = {**files, f"pg_wal/{name(number)}": segment(number)}
    for each, bytes_ in files.items():
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).write_bytes(bytes_)
    return folder


def tar(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for each, bytes_ in files.items():
            member = tarfile.TarInfo(each)
            member.size = len(bytes_)
            archive.addfile(member, io.BytesIO(bytes_))
        for each, target in (links or {}).items():
            member = tarfile.TarInfo(each)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return made.getvalue()


def tars(folder: Path, number: int, *, wal: bool = True, spaces: Mapping[str, str] | None = None) -> Path:
    """Of gzip; `spaces`: OIDs, and where they were."""
    folder.mkdir(parents=True)
    files = content(number)
    if spaces:
        lines = "".join(f"{oid} {where}\n" for oid, where in spaces.items())
        files = {"backup_label": files.pop("backup_label"), "tablespace_map": lines.encode(), **files}
    inside = {f"PG_15_202209061/5/{oid}": b"fast" for oid in spaces or ()}
    (folder / "backup_manifest").write_bytes(manifest({**files, **inside}, number))
    made = {"base": files, **{oid: {f"PG_15_202209061/5/{oid}": b"fast"} for oid in spaces or ()}}
    if wal:
        made["pg_wal"] = {name(number): segment(number)}
    for each, its in made.items():
        (folder / f"{each}.tar.gz").write_bytes(gzip.compress(b"") + gzip.compress(tar(its)))
    return folder
