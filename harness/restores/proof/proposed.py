"""Checks of rows to begin with, from a database as it is now: text for the stack file, to be read before it is used.

They are proposals: counts of the biggest tables, and that no row points to one that is not there. What has to be true
of the rows besides (sums, balances, states) nobody can see from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import yaml

from harness.restores.proof import MARK, Connect, asking
from harness.restores.proof.structure import OWN

WITHIN = timedelta(minutes=2)  # one count
MANY = 5  # tables and foreign keys of a database
SHARE = 90  # percent of the rows of now
BIGGEST = f"""
SELECT c.oid::regclass::text, s.size, pg_size_pretty(s.size)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
  SELECT sum(pg_total_relation_size(p)) AS size FROM (
    SELECT c.oid AS p UNION SELECT relid FROM pg_partition_tree(c.oid)) parts) s
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {OWN} ORDER BY 2 DESC, 1 LIMIT {MANY}"""
KEYS = f"""
SELECT k.conname, k.conrelid::regclass::text, k.confrelid::regclass::text,
  (SELECT array_agg(quote_ident(a.attname) ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY u(num, at)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
  (SELECT array_agg(quote_ident(a.attname) ORDER BY u.at) FROM unnest(k.confkey) WITH ORDINALITY u(num, at)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0 AND {OWN}
ORDER BY pg_total_relation_size(k.conrelid) DESC, 1 LIMIT {MANY}"""
HEAD = """\
# PROPOSED by drdrill from what is there now: read each, change it, and add what has to be true besides.
checks:
"""
NOTHING = "# drdrill has nothing to propose: no table has a row\n"


def proposed(connect: Connect, databases: Sequence[str]) -> str:
    """YAML, for a database under `backups`. Errors: `psycopg.Error`."""
    items: list[str] = []
    for database in databases:
        with asking(connect, database, WITHIN) as connection:
            items += _counts(connection, database)
            items += _orphans(connection, database)
    return HEAD + "".join(items) if items else NOTHING


def _counts(connection: Any, database: str) -> Iterator[str]:
    for table, _, size in connection.execute(MARK + BIGGEST).fetchall():
        try:
            rows = connection.execute(f"{MARK}SELECT count(*) FROM {table}").fetchone()[0]
        except psycopg.errors.QueryCanceled:
            yield f"  # {table} takes {size}, and could not be counted in {WITHIN.total_seconds():g} s\n"
            continue
        if rows:
            reason = f"{table} takes {size} and has {rows} rows now: {SHARE} % of them have to be there"
            check = {"name": f"rows of {table}", "sql": f"SELECT count(*) FROM {table}", "database": database}
            yield _item(reason, check | {"at least": str(max(1, rows * SHARE // 100))})


def _orphans(connection: Any, database: str) -> Iterator[str]:
    for name, table, other, ours, theirs in connection.execute(MARK + KEYS).fetchall():
        same = " AND ".join(f"o.{there} = t.{here}" for here, there in zip(ours, theirs, strict=True))
        given = " AND ".join(f"t.{here} IS NOT NULL" for here in ours)
        sql = f"SELECT count(*) FROM {table} t WHERE {given} AND NOT EXISTS (SELECT FROM {other} o WHERE {same})"
        reason = f"the foreign key {name}: PostgreSQL looks at it when a row is written, and never again"
        yield _item(reason, {"name": f"{table} without {other}", "sql": sql, "database": database, "is": "0"})


def _item(reason: str, check: dict[str, str]) -> str:
    text = yaml.safe_dump([check], sort_keys=False, allow_unicode=True, width=1000)
    return f"  # {' '.join(reason.split())}\n" + "".join(f"  {line}\n" for line in text.splitlines())
