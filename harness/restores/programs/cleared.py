"""A restored data directory before its server starts: what of the original's settings lies in it is taken out.

No setting of the original counts, its archive command least of all, and no connection string of it stays in a file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import NotReady

REMOVED = ("standby.signal", "recovery.signal", "recovery.conf", "recovery.done", "postmaster.pid", "postmaster.opts")
EMPTIED = ("postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf", "postgresql.conf")
JOBS = {"pg_cron", "pg_partman_bgw"}  # libraries that begin work of their own, which would change what was restored
PRELOADED = re.compile(r"^\s*shared_preload_libraries\s*=?\s*'((?:[^']|'')*)'", re.MULTILINE)
AUTHID = 1260  # the oid of pg_authid
MAP_MAGIC, PAGE = 0x592717, 8192


def clear(data: Path) -> None:
    """Empty or remove every file of settings. The data directory is then as a server finds it after a backup."""
    for name in REMOVED:
        (data / name).unlink(missing_ok=True)
    files = {data / name for name in EMPTIED} | {path for path in data.glob("*.conf*") if not path.is_dir()}
    files |= {path for path in data.glob("*conf*/*") if not path.is_dir()}
    for path in files:
        path.unlink(missing_ok=True)  # it may be a link to the original's own file
        path.touch(mode=0o600)


def must_stay_inside(data: Path, folder: Path) -> None:
    """Errors: `NotReady` where a server would write outside of the place: through a link, or a tablespace's path."""
    inside = folder.resolve()
    paths = [path.resolve() for path in (*data.glob("*"), *data.glob("pg_tblspc/*")) if path.is_symlink()]
    with suppress(FileNotFoundError):
        lines = (data / "tablespace_map").read_text(errors="replace").splitlines()
        paths += [Path(line.partition(" ")[2]).resolve() for line in lines if line.strip()]
    for path in paths:
        if not path.is_relative_to(inside):
            raise NotReady(
                f"the restored server would write to {path}, which is not in its place",
                hint="each tablespace is to be restored into the place's own folder: it was not started",
            )


def preloaded(data: Path) -> list[str]:
    """The libraries that the original's server loaded, but for those that begin work of their own."""
    found: list[str] = []
    for name in ("postgresql.conf", "postgresql.auto.conf"):  # the second one counts where both say it
        with suppress(OSError):
            said = PRELOADED.findall((data / name).read_text(errors="replace"))
            found = [word.strip(' "') for word in said[-1].split(",")] if said else found
    return [name for name in found if re.fullmatch(r"[\w-]+", name) and name not in JOBS]


def superusers(data: Path, version: int) -> list[str]:
    """The roles that may do everything, read from the files of the cluster: the one that it was made with is first.

    A cluster need not have a role `postgres`. Empty where the files cannot be read so.
    """
    found: dict[str, int] = {}
    with suppress(OSError, struct.error, UnicodeDecodeError):
        content = _relation(data, AUTHID).read_bytes()
        for begin in range(0, len(content), PAGE):
            for row in _rows(content[begin : begin + PAGE]):
                oid, name = struct.unpack_from("<I", row)[0], row[4:]
                if version < 12:  # its rows have the oid in their header
                    oid, name = 0, row
                if len(name) > 71 and name[64] and name[68]:  # rolsuper, rolcanlogin
                    found[name[:64].partition(b"\0")[0].decode()] = oid
    return sorted(found, key=lambda name: (found[name] != 10, name))


def _relation(data: Path, oid: int) -> Path:
    """The file of a relation whose number lies in the map. Errors: `FileNotFoundError`."""
    content = (data / "global" / "pg_filenode.map").read_bytes()
    magic, count = struct.unpack_from("<ii", content)
    pairs = [struct.unpack_from("<II", content, 8 + 8 * at) for at in range(min(count, 64))]
    number = dict(pairs).get(oid) if magic == MAP_MAGIC else None
    if number is None:
        raise FileNotFoundError(data / "global")
    return data / "global" / str(number)


def _rows(page: bytes) -> Sequence[bytes]:
    """What each row of a heap page holds, without its header; those that were deleted, too."""
    lower = struct.unpack_from("<H", page, 12)[0]
    rows = []
    for (item,) in struct.iter_unpack("<I", page[24:lower]):
        offset, flags, length = item & 0x7FFF, item >> 15 & 3, item >> 17
        if flags == 1 and length > 23:
            rows.append(page[offset + page[offset + 22] : offset + length])
    return rows
