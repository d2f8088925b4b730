"""Pages of a PostgreSQL server, by its own extensions and in the files of its data directory.

A page that is replaced on the disk is damaged for readers only once the server does not hold it: else the good one is
served from memory, and written over the damage sooner or later. So the server is made to forget it, the disk is
written, and it is asked whether anybody has fetched the page meanwhile; again and again until nobody has.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from harness.errors import NotReady
from harness.stacks.capabilities.pages import PageRefused, Replaced
from harness.system import wait
from harness.system.clock import Moment, around, spanning
from harness.system.durable import sync_folder

PAGE = 8192  # bytes
IN_A_FILE = 131072  # pages; a greater relation goes on in `.1`, `.2`, ...
FORGETS_WITHIN = timedelta(seconds=20)
OFTEN = timedelta(milliseconds=5)
SETTLES_WITHIN = timedelta(seconds=20)
DOWN = ("Connection refused", "the database system is starting up", "the database system is not yet accepting")
BY = "the kernel: the write of the page"
HELD = """
    SELECT bufferid FROM pg_buffercache WHERE relfilenode = pg_relation_filenode(%(relation)s::regclass)
    AND reldatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relforknumber = 0 AND relblocknumber = %(number)s
"""
EVICTS = "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'pg_buffercache_evict')"  # PostgreSQL 17 and later
SCRATCH = "drdrill_scratch"
# Two times the memory of pages, one row to a page, of no log and no copy: what is read there presses others out.
CROWD = f"""
    DROP TABLE IF EXISTS public.{SCRATCH};
    CREATE UNLOGGED TABLE public.{SCRATCH} (filler text);
    ALTER TABLE public.{SCRATCH} ALTER filler SET STORAGE PLAIN;
    INSERT INTO public.{SCRATCH} SELECT repeat('x', 4200) FROM generate_series(1, 2 *
        (SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'))
"""
# Of a row's header (htup_details.h): whether it is settled what became of who wrote it, and of who changed it.
MASK_AT = 20
WRITER, CHANGER, LOCKED_ONLY, SEVERAL = 0x0300, 0x0C00, 0x0080, 0x1000
PAGE_FULL, LEAST_FREE = 0x0002, PAGE // 10  # a fuller page is tidied up by who reads it, where rows are left over
CHECKSUM_AT, TIDIED_AT = 8, 20  # in a page's header (bufpage.h); the second tells who left rows over, or 0
NORMAL = 1  # of a line pointer


@dataclass(frozen=True)
class Pages:
    """Of one server: its data directory, where what was replaced is set aside, and how it is asked as a superuser."""

    data: Path
    aside: Path
    dsn: str

    def pages(self, relation: str) -> int:
        with self._connect() as connection:
            return int(_one(connection, "SELECT pg_relation_size(%(relation)s::regclass)", relation=relation)) // PAGE

    def missed(self, relation: str, number: int) -> bool:
        with self._connect() as connection:
            if (
                _one(connection, "SELECT relkind FROM pg_class WHERE oid = %(relation)s::regclass", relation=relation)
                == "i"
            ):
                return True
            return connection.execute(_rows_of(relation, number)).fetchone() is not None

    def page(self, relation: str, number: int) -> bytes:
        with self._connect() as connection:
            return self._read(self._path(connection, relation), number)

    def read_page(self, relation: str, number: int) -> bytes:
        with self._connect() as connection:
            try:
                return bytes(_one(connection, "SELECT get_raw_page(%(relation)s, %(number)s)",
                                  relation=relation, number=number))  # fmt: skip  # arguments in groups
            except psycopg.errors.DataCorrupted as error:
                said = str(error).strip().splitlines()[0]
                raise PageRefused(said, hint="read the server's own log") from error

    def foreign_page(self, relation: str, number: int) -> bytes:
        with self._connect() as connection:

            def settled() -> bytes:
                # Out of the server's memory and at once: until it lay on the disk customers would have written again.
                connection.execute(_rows_of(relation, number))
                raw = _one(connection, "SELECT get_raw_page(%(relation)s, %(number)s)",
                           relation=relation, number=number)  # fmt: skip  # arguments in groups
                found = fitted(connection, bytes(raw), number)
                return found if is_settled(found) else b""

            found = wait.poll(settled, within=SETTLES_WITHIN, every=OFTEN)
        if not found:
            raise NotReady(f"page {number} of {relation} is always being written", hint="draw another page")
        return found

    def replace_page(self, relation: str, number: int, change: Callable[[bytes], bytes]) -> Moment | None:
        writes: list[Moment | None] = []
        put = b""
        with self._connect() as connection, _forgetting(connection, relation, number) as forget:
            path = self._path(connection, relation)

            def lasts() -> bool:
                nonlocal put
                if not forget():
                    return False
                was = self._read(path, number)
                if not put or was != put:
                    put = change(was)
                    self._set_aside(relation, number, path=path, was=was, put=put)
                    writes.append(around(lambda: self._write(path, number, put), by=BY))
                return not _held(connection, relation, number) and self._read(path, number) == put

            if not wait.poll(lasts, within=FORGETS_WITHIN, every=OFTEN):
                self.restore_page(relation, number)
                raise _not_forgotten(relation, number)
        return spanning(writes)

    def replaced_page(self, relation: str, number: int) -> Replaced | None:
        if (record := self._record(relation, number)) is None:
            return None
        there = None
        if self.made() == record["directory"]:
            with suppress(OSError):
                there = self._read(record["path"], number)
        return Replaced(base64.b64decode(record["was"]), base64.b64decode(record["put"]), there)

    def restore_page(self, relation: str, number: int) -> Moment | None:
        replaced = self.replaced_page(relation, number)
        if replaced is None or replaced.there is None:
            return None
        path = (self._record(relation, number) or {})["path"]
        writes: list[Moment | None] = []

        def put_back() -> None:
            if self._read(path, number) == replaced.put:
                writes.append(around(lambda: self._write(path, number, replaced.was), by=BY))

        def asked() -> str:
            """Why the server cannot be asked; empty once it holds the page no more, or is down: then it holds none."""
            try:
                with self._connect() as connection, _forgetting(connection, relation, number) as forget:

                    def lasts() -> bool:
                        if not forget():
                            return False
                        put_back()
                        return not _held(connection, relation, number)

                    if not wait.poll(lasts, within=FORGETS_WITHIN, every=OFTEN):
                        raise _not_forgotten(relation, number)
            except psycopg.OperationalError as error:
                said = str(error).strip()
                if not any(words in said for words in DOWN):
                    return said
                put_back()
            return ""

        if why := wait.poll(asked, within=FORGETS_WITHIN, enough=lambda why: not why):
            raise _not_forgotten(relation, number, why)
        if self._read(path, number) == replaced.was:
            self._file(relation, number).unlink(missing_ok=True)
        return spanning(writes)

    def _connect(self) -> psycopg.Connection[Any]:
        """What it writes waits for no copy."""
        return psycopg.connect(self.dsn, autocommit=True, options="-c synchronous_commit=local")

    def _path(self, connection: psycopg.Connection[Any], relation: str) -> str:
        """Below the data directory."""
        return str(_one(connection, "SELECT pg_relation_filepath(%(relation)s::regclass)", relation=relation))

    def _place(self, path: str, number: int) -> tuple[Path, int]:
        part, at = divmod(number, IN_A_FILE)
        return self.data / (f"{path}.{part}" if part else path), at * PAGE

    def _read(self, path: str, number: int) -> bytes:
        file, at = self._place(path, number)
        with file.open("rb") as opened:
            opened.seek(at)
            found = opened.read(PAGE)
        if len(found) < PAGE:
            raise OSError(f"{path} has no page {number} on the disk")
        return found

    def _write(self, path: str, number: int, content: bytes) -> None:
        file, at = self._place(path, number)
        handle = os.open(file, os.O_WRONLY)
        try:
            os.pwrite(handle, content, at)
            os.fsync(handle)
        finally:
            os.close(handle)

    def made(self) -> str:
        """What tells this data directory from one that was made anew in its place: nothing ever touches this file."""
        try:
            made = (self.data / "PG_VERSION").stat()
        except FileNotFoundError:
            raise NotReady(f"there is no database in {self.data}", hint="it is being made anew, or was lost") from None
        return f"{made.st_ino} {made.st_mtime_ns}"

    def _file(self, relation: str, number: int) -> Path:
        return self.aside / f"{quote(relation, safe='')} {number}.json"

    def _set_aside(self, relation: str, number: int, *, path: str, was: bytes, put: bytes) -> None:
        """Whole or not at all, and for good: it holds rows of people, and stays with the stack."""
        self.aside.mkdir(mode=0o700, exist_ok=True)
        pages = {"was": base64.b64encode(was).decode(), "put": base64.b64encode(put).decode()}
        new = self._file(relation, number).with_suffix(".new")
        new.touch(mode=0o600)
        with new.open("w") as written:
            json.dump({"path": path, "directory": self.made(), **pages}, written)
            written.flush()
            os.fsync(written.fileno())
        new.rename(self._file(relation, number))
        sync_folder(self.aside)

    def _record(self, relation: str, number: int) -> dict[str, str] | None:
        try:
            found: dict[str, str] = json.loads(self._file(relation, number).read_text())
        except FileNotFoundError:
            return None
        return found


def fitted(connection: psycopg.Connection[Any], page: bytes, number: int) -> bytes:
    """A page as it would be valid at that number: with the checksum that the server itself makes of it there."""
    checksum = _one(connection, "SELECT page_checksum(%(page)s, %(number)s)", page=page, number=number)
    return page[:CHECKSUM_AT] + struct.pack("<H", checksum & 0xFFFF) + page[CHECKSUM_AT + 2 :]


def is_settled(page: bytes) -> bool:
    """Whether who reads its rows finds nothing to write down on it: neither what became of a transaction, nor room."""
    flags, lower, upper = struct.unpack_from("<HHH", page, 10)
    (left_over,) = struct.unpack_from("<I", page, TIDIED_AT)
    if left_over and (flags & PAGE_FULL or upper - lower < LEAST_FREE):
        return False
    for at in range(24, lower, 4):
        (pointer,) = struct.unpack_from("<I", page, at)
        offset, kind = pointer & 0x7FFF, pointer >> 15 & 3
        if kind == NORMAL:
            (mask,) = struct.unpack_from("<H", page, offset + MASK_AT)
            if not mask & WRITER or not mask & (CHANGER | LOCKED_ONLY | SEVERAL):
                return False
    return True


@contextmanager
def _forgetting(connection: psycopg.Connection[Any], relation: str, number: int) -> Iterator[Callable[[], bool]]:
    """What makes the server forget the page, and says whether it holds it no more. What is dirty is written first."""
    given: dict[str, Any] = {"relation": relation, "number": number}
    crowded = False

    def forget() -> bool:
        nonlocal crowded
        if not _held(connection, relation, number):
            return True
        if _one(connection, EVICTS):
            connection.execute(f"SELECT pg_buffercache_evict(bufferid) FROM ({HELD}) AS held", given)
        elif _one(connection, "SELECT pg_is_in_recovery()"):
            raise _not_forgotten(relation, number)  # it takes nothing that could press the page out
        else:
            if not crowded:
                for statement in CROWD.split(";"):
                    connection.execute(statement.encode())
                crowded = True
            _one(connection, "SELECT pg_prewarm(%(relation)s::regclass)", relation=f"public.{SCRATCH}")
        return not _held(connection, relation, number)

    try:
        yield forget
    finally:
        if crowded:
            connection.execute(f"DROP TABLE IF EXISTS public.{SCRATCH}")


def _held(connection: psycopg.Connection[Any], relation: str, number: int) -> bool:
    return connection.execute(HELD, {"relation": relation, "number": number}).fetchone() is not None


def _one(connection: psycopg.Connection[Any], query: str, **given: Any) -> Any:
    row = connection.execute(query.encode(), given or None).fetchone()
    assert row is not None
    return row[0]


def _rows_of(relation: str, number: int) -> sql.Composed:
    """Reads every row of a page."""
    return sql.SQL("SELECT count(*) FROM {} WHERE ctid >= {}::tid AND ctid < {}::tid HAVING count(*) > 0").format(
        _name(relation), f"({number},0)", f"({number + 1},0)"
    )


def _name(relation: str) -> sql.Identifier:
    return sql.Identifier(*relation.split("."))


def _not_forgotten(relation: str, number: int, why: str = "") -> NotReady:
    what = f"the database server cannot be made to forget page {number} of {relation}{why and f': {why}'}"
    return NotReady(what, hint="draw another page, or try when fewer customers write")
