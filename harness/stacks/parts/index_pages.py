"""Pages of PostgreSQL's B-tree indexes: which of them can be damaged so that rows stay whole, by its own pageinspect.

A page of another index in the place of one is harmless for rows only where no lookup matches anything on it: who
updates a row by an index trusts it, and would change whatever row it leads to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.stacks.parts.pages import fitted

LEAVES = """
    SELECT number FROM generate_series(
        1, pg_relation_size(%(index)s::text::regclass) / current_setting('block_size')::int - 1
    ) AS number,
    LATERAL bt_page_stats(%(index)s::text, number) AS page
    WHERE page.type = 'l' AND page.live_items > 1 ORDER BY number
"""
BIGINT_KEY = """
    SELECT indnatts = 1 AND atttypid = 'bigint'::regtype FROM pg_index
    JOIN pg_attribute ON attrelid = indexrelid AND attnum = 1 WHERE indexrelid = %(index)s::text::regclass
"""
# Of each leaf its keys, the bound to the next page among them, and the first page of rows that it leads to.
SPANS = f"""
    SELECT number, array_agg(item.data), min((item.htid::text::point)[0])::bigint
    FROM ({LEAVES}) AS leaf, LATERAL bt_page_items(%(index)s::text, number) AS item GROUP BY number ORDER BY number
"""
ROWS_END = """
    SELECT pg_relation_size(indrelid) / current_setting('block_size')::int FROM pg_index
    WHERE indexrelid = %(index)s::text::regclass
"""


@dataclass(frozen=True)
class IndexPages:
    """Of one server, as a superuser asks it."""

    dsn: str

    def leaves(self, index: str) -> list[int]:
        with self._connect() as connection:
            return [number for (number,) in connection.execute(LEAVES.encode(), {"index": index})]

    def unmatched(self, index: str, other: str) -> list[int]:
        """Only of two indexes on one whole number each: then keys compare as numbers."""
        with self._connect() as connection:
            if not all(_one(connection, BIGINT_KEY, each) for each in (index, other)):
                return []
            greatest = max((_span(keys)[1] for _, keys, _ in _spans(connection, index)), default=0)
            end = _one(connection, ROWS_END, index)
            return [
                number
                for number, keys, first in _spans(connection, other)
                if _span(keys)[0] > greatest and first is not None and first >= end
            ]

    def fitted(self, page: bytes, number: int) -> bytes:
        with self._connect() as connection:
            return fitted(connection, page, number)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True)


def _spans(connection: psycopg.Connection[Any], index: str) -> Sequence[tuple[int, list[str], int | None]]:
    return connection.execute(SPANS.encode(), {"index": index}).fetchall()


def _span(keys: Sequence[str]) -> tuple[int, int]:
    """The least and the greatest of a page's keys: eight bytes each, as hexadecimal digits."""
    numbers = [int.from_bytes(bytes.fromhex(key)[:8], "little", signed=True) for key in keys]
    return min(numbers), max(numbers)


def _one(connection: psycopg.Connection[Any], query: str, index: str) -> Any:
    row = connection.execute(query.encode(), {"index": index}).fetchone()
    assert row is not None
    return row[0]
