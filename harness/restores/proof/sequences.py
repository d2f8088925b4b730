"""Whether every sequence is ahead of the numbers that it has given out: one behind fails at the next row."""

from __future__ import annotations

from typing import Any

from harness.restores import Look
from harness.restores.proof import MARK, listed

# Owned by a column (serial, identity), or used by its default.
COLUMNS = """
SELECT DISTINCT s.oid::regclass::text, t.oid::regclass::text, quote_ident(a.attname), q.seqincrement > 0
FROM pg_class s JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN (
  SELECT objid AS seq, refobjid AS rel, refobjsubid AS att FROM pg_depend
  WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
    AND deptype IN ('a', 'i')
  UNION SELECT d.refobjid, f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
  WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
) u ON u.seq = s.oid
JOIN pg_class t ON t.oid = u.rel AND t.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.att AND NOT a.attisdropped
WHERE NOT q.seqcycle AND t.relpersistence <> 't'
  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
ORDER BY 1, 2, 3"""
BEHIND = """
SELECT m.last {sign} s.last_value OR m.last = s.last_value AND NOT s.is_called, abs(m.last - s.last_value)
FROM {sequence} s, (SELECT {most}({column}) AS last FROM {table}) m"""


def sequences(connection: Any, database: str) -> list[Look]:
    """Errors: `psycopg.Error`."""
    behind = []
    pairs = connection.execute(MARK + COLUMNS).fetchall()
    for sequence, table, column, up in pairs:
        most, sign = ("max", ">") if up else ("min", "<")
        asked = BEHIND.format(sequence=sequence, table=table, column=column, most=most, sign=sign)
        wrong, by = connection.execute(MARK + asked).fetchone()
        if wrong:
            behind.append(f"{sequence} by {by} (of {table}.{column})")
    seen = f"behind: {listed(behind)}" if behind else f"{len(pairs)}, each ahead of its column"
    return [Look("structure", f"sequences of {database}", not behind, seen, text=f"{COLUMNS}; {BEHIND}".strip(),
                expected="none is behind", figure=float(len(pairs)))]  # fmt: skip  # arguments in groups
