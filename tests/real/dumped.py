"""What is dumped and looked at again, and how a dump is spoilt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.restores import Place

ROWS = 3000
ROLES = ("create role app login", "create role reader", 'create role "Odd ""one"""')
SAMPLE = (
    "create extension pg_trgm",
    "create schema s authorization app",
    "create table s.orders (id bigserial primary key, note text not null, total numeric check (total >= 0))",
    "alter table s.orders owner to app",
    'alter schema s owner to "Odd ""one"""',
    "grant select on s.orders to reader",
    f"insert into s.orders (note, total) select 'note ' || g, g from generate_series(1, {ROWS}) g",
    r"insert into s.orders (note) values (E'\\! touch /tmp/pwned'), (E'-- PostgreSQL database dump complete')",
    "create index by_total on s.orders (total)",
    "create index by_note on s.orders using gin (note public.gin_trgm_ops)",
    "create materialized view s.sums as select count(*) as count from s.orders",
    "select lo_from_bytea(4711, 'hello')",
)


LOOK = """
select (select count(*) from s.orders), (select last_value from s.orders_id_seq),
    (select count(*) from pg_largeobject), (select count from s.sums),
    (select pg_get_userbyid(relowner) from pg_class where oid = 's.orders'::regclass),
    (select count(*) from pg_indexes where schemaname = 's')
"""


def looked_at(place: Place) -> dict[str, tuple[Any, ...]]:
    seen = {}
    with place.connect() as connection:
        databases = [name for (name,) in connection.execute("select datname from pg_database where datallowconn")]
    for name in databases:
        with place.connect(name) as connection:
            if connection.execute("select to_regclass('s.orders')").fetchone()[0]:
                seen[name] = connection.execute(LOOK).fetchone()
    return seen


def cut(path: Path, share: float = 0.6) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def flip(path: Path, share: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 0xFF
    path.write_bytes(bytes(content))


def largest(path: Path) -> Path:
    """Of a folder: the rows of the large table."""
    return max(path.iterdir(), key=lambda each: each.stat().st_size) if path.is_dir() else path


def without_restrict(content: bytes) -> bytes:
    """As pg_dump wrote before August 2025."""
    return re.sub(rb"^\\(un)?restrict .*\n", b"", content, flags=re.MULTILINE)


def change(path: Path, *changes: tuple[bytes, bytes]) -> None:
    content = path.read_bytes()
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    path.write_bytes(content)
