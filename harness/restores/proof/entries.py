"""Whether each index has as many entries as its table has rows: a table that is too short, or has blocks of zeroes.

Neither has a checksum that is wrong, and amcheck looks for each row in the index, and not for each entry in the table.
What an entry points to is not read where the block is known as all visible, which most of a table at rest is; in one
that is not, a block of zeroes stays unseen. A table without an index is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from harness.restores import Look
from harness.restores.proof import MARK, Connect, asking, limit, listed, why
from harness.system import clock

TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't' AND c.relispopulated AND EXISTS (
  SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL)
ORDER BY c.oid"""
COUNT = "SELECT count(*) FROM ONLY {}"
BY_INDEX = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_indexonlyscan": "on"}
BY_TABLE = {
    "enable_seqscan": "on",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
}
ALONE = {"max_parallel_workers_per_gather": "0"}


def entries(connect: Connect, databases: Sequence[str], *, within: timedelta) -> list[Look]:
    """Of each database, in the running server; one look each."""
    begin = clock.mono()
    return [_entries(connect, database, within=within, begin=begin) for database in databases]


def _entries(connect: Connect, database: str, *, within: timedelta, begin: int) -> Look:
    wrong: list[str] = []
    done, tables = 0, []

    def look(ok: bool | None, seen: str) -> Look:
        return Look(
            "pages",
            f"rows and index entries of {database}",
            ok,
            seen,
            expected="as many of each",
            text=f"{COUNT.format('each table')}, by an index and by the table",
            figure=float(done),
        )

    try:
        with asking(connect, database, within) as connection:
            tables = [row[0] for row in connection.execute(MARK + TABLES).fetchall()]
            for table in tables:
                left = within - clock.since(begin)
                if left <= timedelta(0):
                    return look(None, f"{done} of {len(tables)} tables in the time that there was")
                limit(connection, left)
                if said := _compared(connection, table):
                    wrong.append(said)
                done += 1
    except psycopg.errors.QueryCanceled:
        return look(None, f"{done} of {len(tables)} tables in the time that there was")
    except psycopg.Error as error:
        return look(None, f"it could not be asked: {why(error)}")
    if wrong:
        return look(False, listed(wrong))
    return look(done > 0, f"{done} tables, as many entries as rows in each" if done else "no table has an index")


def _compared(connection: Any, table: str) -> str:
    """What is wrong; empty where nothing is. Errors: `psycopg.Error` of what is no damage."""
    try:
        with connection.transaction(force_rollback=True):
            counts = [_count(connection, table, {**ALONE, **way}) for way in (BY_INDEX, BY_TABLE)]
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith(("XX", "58")):
            return f"{table} ({why(error)})"
        raise
    return f"{table} ({counts[0]} entries, {counts[1]} rows)" if counts[0] != counts[1] else ""


def _count(connection: Any, table: str, settings: dict[str, str]) -> int:
    for name, value in settings.items():
        connection.execute(f"{MARK}SET LOCAL {name} = {value}")
    return int(connection.execute(MARK + COUNT.format(table)).fetchone()[0])
