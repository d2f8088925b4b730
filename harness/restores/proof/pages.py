"""Every page of the restored database, and what holds its pages together.

Checksums find a byte that was changed after its page was written, in any file, with the server stopped. amcheck finds
what was wrong already when the page was written: a row's header, an index out of order, a row that an index has not,
a piece of TOAST that is gone. Neither finds a table that is too short, or a block of it that became zeroes:
`entries.py` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from harness.errors import DrillError
from harness.restores import Look, Place
from harness.restores.proof import MARK, Connect, column, limit, why
from harness.system import clock

CHECKSUMS = ("--check", "--pgdata")
SMALL = 1 << 30  # bytes of an index whose every row is searched from its root: that takes about twice as long
EXPECTED = "none is damaged"
HINT = "the contrib modules of that PostgreSQL have it (Debian: postgresql-contrib)"
INSTALL = "CREATE EXTENSION IF NOT EXISTS amcheck"
WHERE = "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'amcheck'"
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = '{}'::regnamespace"
RELATIONS = """
SELECT c.oid, c.oid::regclass::text, coalesce(a.amname, 'heap'), pg_relation_size(c.oid)
FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relpersistence <> 't' AND (c.relkind IN ('r', 'm', 't') OR c.relkind = 'i' AND i.indisvalid AND i.indisready)
ORDER BY c.relkind = 'i', c.oid"""
ASKED = {  # the function of each kind of table or index, and how it is asked
    "heap": (
        "verify_heapam",
        "SELECT blkno, msg FROM {}.verify_heapam(%s, on_error_stop => true, check_toast => true)",
    ),
    "btree": ("bt_index_parent_check", "SELECT {}.bt_index_parent_check(%s, true, %s)"),  # heapallindexed, rootdescend
    "gin": ("gin_index_check", "SELECT {}.gin_index_check(%s)"),  # from PostgreSQL 18 on
}
DAMAGE = ("XX", "58", "08", "57P")  # SQLSTATEs of what cannot be read, or has ended the session
_BLOCKS, _BAD = re.compile(r"Blocks scanned:\s+(\d+)"), re.compile(r"Bad checksums:\s+(\d+)")


def checksums(place: Place, *, within: timedelta) -> Look:
    """The server has to be stopped. Without checksums nobody can say it: `ok` None."""
    name, text = "the checksum of every page", " ".join(("pg_checksums", *CHECKSUMS[:1]))

    def look(ok: bool | None, seen: str, figure: float | None = None) -> Look:
        return Look("pages", name, ok, seen, text=text, expected=EXPECTED, figure=figure)

    try:
        done = place.run("pg_checksums", *CHECKSUMS, str(place.data), within=within, check=False)
    except DrillError as error:
        return look(None, error.message.splitlines()[0])
    blocks, bad = _BLOCKS.search(done.out), _BAD.search(done.out)
    first = next((line.strip() for line in done.err.splitlines() if line.strip()), "it said nothing")
    if "not enabled" in done.err:
        return look(None, "checksums are off: nobody can say whether a page is as it was written; "
                    "pg_checksums --enable, on the original, lifts that")  # fmt: skip  # words
    if not blocks or not bad:
        damaged = "checksum" in done.err.replace("pg_checksums", "") or "could not read block" in done.err
        return look(False if damaged else None, f"pg_checksums did not end well: {first}")
    count = int(blocks[1])
    if not count:
        return look(False, "0 pages: there is nothing that could be right", 0.0)
    if int(bad[1]) or not done.ok:
        return look(False, f"{bad[1]} of {count} pages are wrong; the first: {_file(done.err) or first}", float(count))
    return look(True, f"{count} pages, and every checksum is right", float(count))


def _file(err: str) -> str:
    found = re.search(
        r'checksum verification failed in file "[^"]*?((?:base|global|pg_tblspc)/[^"]*)", block (\d+)', err
    )
    return f"{found[1]}, block {found[2]}" if found else ""


def amcheck(connect: Connect, databases: Sequence[str], *, within: timedelta) -> list[Look]:
    """Every table, TOAST table and index of each database, in the running server; one look each."""
    begin = clock.mono()
    return [_amcheck(connect, database, within=within, begin=begin) for database in databases]


@dataclass
class _Found:
    """`unable`: what was not checked, with the reason."""

    of: int = 0
    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    unable: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)  # kinds of index that this version cannot check
    late: bool = False

    def verdict(self) -> tuple[bool | None, str]:
        if self.wrong:
            return False, f"{len(self.wrong)} of {self.of}; the first: {self.wrong[0]}"
        if self.late:
            return None, f"{self.checked} of {self.of} in the time that there was"
        if self.unable:
            return None, f"{len(self.unable)} of {self.of} could not be checked; the first: {self.unable[0]}"
        if not self.checked:
            return False, "0 tables and indexes: there is nothing that could be sound"
        if self.others["heap"]:  # before PostgreSQL 14
            return None, f"{self.checked} indexes, nothing found; tables cannot be checked by this version"
        others = ", ".join(f"{count} {kind}" for kind, count in sorted(self.others.items()))
        rest = f"; not checked, as this version cannot: {others}" if others else ""
        return True, f"{self.checked} tables and indexes, nothing found{rest}"


def _amcheck(connect: Connect, database: str, *, within: timedelta, begin: int) -> Look:
    name, text = f"amcheck of {database}", "verify_heapam; bt_index_parent_check, heapallindexed, rootdescend"

    def look(ok: bool | None, seen: str, figure: float | None = None) -> Look:
        return Look("pages", name, ok, seen, text=text, expected=EXPECTED, figure=figure)

    try:
        found = _checked(connect, database, within=within, begin=begin)
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        return look(None, f"amcheck is not installed: {HINT}")
    except psycopg.Error as error:
        return look(
            False if (error.sqlstate or "").startswith("XX") else None, f"it could not be looked at: {why(error)}"
        )
    ok, seen = found.verdict()
    return look(ok, seen, float(found.checked))


def _checked(connect: Connect, database: str, *, within: timedelta, begin: int) -> _Found:
    """Errors: `psycopg.Error` where it cannot be begun."""
    found = _Found()
    connection = connect(database)
    try:
        limit(connection, within)
        connection.execute(MARK + INSTALL)
        schema = column(connection, WHERE)[0]
        functions = column(connection, FUNCTIONS.format(schema))
        relations = connection.execute(MARK + RELATIONS).fetchall()
        found.of = len(relations)
        for oid, relation, kind, size in relations:
            function, asked = ASKED.get(kind, ("", ""))
            if function not in functions:
                found.others[kind] += 1
                continue
            left = within - clock.since(begin)
            if left <= timedelta(0):
                found.late = True
                break
            try:
                if connection.closed:
                    connection = connect(database)
                limit(connection, left)
                wrong = connection.execute(MARK + asked.format(schema), _given(kind, oid, size)).fetchone()
                if kind == "heap" and wrong:
                    found.wrong.append(f"{relation}, block {wrong[0]}: {wrong[1]}")
            except psycopg.errors.QueryCanceled:
                found.late = True
                break
            except psycopg.Error as error:
                (found.wrong if _damage(error) else found.unable).append(f"{relation}: {why(error)}")
            found.checked += 1
    finally:
        connection.close()
    return found


def _given(kind: str, oid: int, size: int) -> list[int | bool]:
    return [oid, size <= SMALL] if kind == "btree" else [oid]


def _damage(error: psycopg.Error) -> bool:
    """A session that is gone without a word was ended by what it read."""
    return error.sqlstate is None or error.sqlstate.startswith(DAMAGE)
