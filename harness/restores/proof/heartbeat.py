"""The heartbeat: a numbered row that a tiny job writes, by which the recovery point is measured without customers.

Numbers have no gap: each is the greatest one and 1, by one writer. A sequence would leave one at each rollback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from harness.restores import Look
from harness.restores.described import Heartbeat
from harness.restores.proof import MARK, Connect, asking, column, why

TABLE = "drdrill_heartbeat"
WITHIN = timedelta(minutes=5)
REAL = "SELECT to_regclass(%s)::text"
ASKED = """
SELECT count(*), count(DISTINCT number), min(number), max(number), max(at), count(*) FILTER (WHERE at > '{after}')
FROM {table}"""
NEVER = "infinity"
ALIKE = """
SELECT c.oid::regclass::text FROM pg_class c
JOIN pg_attribute n ON n.attrelid = c.oid AND n.attname = 'number' AND n.atttypid = 'int8'::regtype
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'at' AND a.atttypid = 'timestamptz'::regtype
WHERE c.relkind = 'r' AND c.relname LIKE '%heartbeat%' AND c.relnatts = 2"""
GAP = """
SELECT number FROM (SELECT number, lead(number) OVER (ORDER BY number) AS next FROM {table}) n
WHERE next > number + 1 ORDER BY number LIMIT 1"""


def found(connect: Connect, databases: Sequence[str]) -> str:
    """A table that looks like a heartbeat's, as `{table: …, database: …}`; empty where there is none."""
    for database in databases:
        with asking(connect, database, WITHIN) as connection:
            for table in column(connection, ALIKE):
                return f"{{table: {table}, database: {database}}}"
    return ""


@dataclass(frozen=True)
class Beats:
    """What a database has of its heartbeat. `at`: of the last row, ISO; `missing`: how many numbers between the first
    and the last are not there; `every` in seconds; `after`: rows from after the point, where one was given."""

    number: int
    at: str
    rows: int
    missing: int
    every: float
    after: int = 0

    def line(self, now: datetime) -> dict[str, Any]:
        """The fields of `restore.heartbeat`. `now`: when the archive was looked at."""
        behind = (now - datetime.fromisoformat(self.at)).total_seconds()
        fields = {"number": self.number, "at": self.at, "rows": self.rows, "missing": self.missing}
        return {**fields, "every": self.every, "now": now.isoformat(), "behind": behind}


def heartbeat(
    connect: Connect, given: Heartbeat, *, first: str, point: datetime | None = None
) -> tuple[Beats | None, list[Look]]:
    """`first`: the database where the stack file names none; `point`: the time that was recovered to."""
    database, text = given.database or first, ""

    def failed(ok: bool | None, seen: str) -> tuple[None, list[Look]]:
        return None, [Look("rows", "heartbeat", ok, seen, text=text.strip(), expected="no number is missing")]

    try:
        with asking(connect, database, WITHIN) as connection:
            found = connection.execute(MARK + REAL, [given.table]).fetchone()[0]
            if found is None:
                return failed(None, f"there is no table {given.table} in {database}")
            text = ASKED.format(table=found, after=point.astimezone(UTC).isoformat() if point else NEVER)
            count, different, low, last, at, after = connection.execute(MARK + text).fetchone()
            if not count:
                return failed(False, f"{given.table} has no row")
            if not isinstance(at, datetime) or at.tzinfo is None or not isinstance(last, int):
                return failed(None, f"{given.table} needs number (bigint) and at (timestamp with time zone)")
            missing = last - low + 1 - different
            gap = connection.execute(MARK + GAP.format(table=found)).fetchone() if missing else None
    except psycopg.Error as error:
        damaged = bool(error.sqlstate and error.sqlstate.startswith("XX"))
        return failed(False if damaged else None, f"it could not be read: {why(error)}")
    beats = Beats(last, at.astimezone(UTC).isoformat(), count, missing, given.every.total_seconds(), after)
    return beats, [_look(beats, text, twice=count - different, gap=gap[0] if gap else 0)]


def _look(beats: Beats, text: str, *, twice: int, gap: int) -> Look:
    seen = f"{beats.rows} rows, the last is number {beats.number} of {beats.at}"
    if beats.missing:
        seen += f"; {beats.missing} missing, the first after number {gap}"
    if twice:
        seen += f"; {twice} there twice"
    return Look("rows", "heartbeat", not (beats.missing or twice), seen, text=text.strip(),
                # in groups
                expected="no number is missing, none is there twice", figure=float(beats.missing))  # fmt: skip


def heartbeat_sql(table: str = TABLE) -> str:
    """The table, and the one statement of the job."""
    return f"""CREATE TABLE IF NOT EXISTS {table} (
  number bigint PRIMARY KEY,
  at timestamptz NOT NULL
);
{insert(table)}
"""


def insert(table: str = TABLE) -> str:
    """One beat, and what is older than a month goes: at most a few rows each time."""
    return (
        f"INSERT INTO {table} (number, at) SELECT coalesce(max(number), 0) + 1, clock_timestamp() FROM {table};\n"
        f"DELETE FROM {table} WHERE number <= (SELECT max(number) - 2592000 FROM {table});"
    )


def job(table: str = TABLE) -> str:
    """The job in three ways, one of which somebody takes: text to be read and copied."""
    statements = insert(table).replace("\n", " ")
    return f"""# Once, as the owner of the database:
{_commented(heartbeat_sql(table))}
# One writer, and one alone, beside whatever leads; the connection finds the leader by itself.

# 1. As a loop of a shell:
export PGHOST=leader,standby PGDATABASE=app PGUSER=heartbeat PGTARGETSESSIONATTRS=read-write
while true; do
  psql --no-psqlrc --quiet --command "{statements}"
  sleep 1
done

# 2. As a service of systemd (/etc/systemd/system/drdrill-heartbeat.service), with the loop in a file of its own:
# [Unit]
# Description=Heartbeat of the database
# After=network-online.target
# [Service]
# User=postgres
# ExecStart=/usr/local/bin/drdrill-heartbeat
# Restart=always
# RestartSec=1
# [Install]
# WantedBy=multi-user.target

# 3. As a job of pg_cron 1.5 or newer (set cron.log_run = off, or it keeps a row of its own each second):
# SELECT cron.schedule('drdrill-heartbeat', '1 second', $job${statements}$job$);
"""


def _commented(text: str) -> str:
    return "".join(f"#   {line}\n" for line in text.splitlines())
