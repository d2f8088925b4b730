"""What there is in a restored database, and whether it can be used.

A question lists what is not as it has to be, by name: an empty answer is right. Some only tell: what a restore cannot
have done wrong, and somebody who reads the report may want to know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from harness.restores import Look
from harness.restores.proof import MARK, Connect, asking, column, listed, why
from harness.restores.proof.libraries import libraries
from harness.restores.proof.sequences import sequences

CLOSED = "SELECT datname FROM pg_database WHERE NOT datallowconn AND datname <> 'template0' ORDER BY 1"
DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
OWN = """
n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""  # what is neither PostgreSQL's nor an extension's
COUNTS = f"""
SELECT count(*) FILTER (WHERE c.relkind IN ('r', 'p')), count(*) FILTER (WHERE c.relkind IN ('i', 'I')),
  count(*) FILTER (WHERE c.relkind IN ('v', 'm'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OWN}"""
TABLES = f"""
SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {OWN} ORDER BY pg_relation_size(c.oid) DESC"""
LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"
GRANTED = """
SELECT DISTINCT coalesce(d.datname, 'everywhere') || ': role ' || s.refobjid
FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_authid'::regclass AND NOT EXISTS (SELECT FROM pg_authid a WHERE a.oid = s.refobjid)
ORDER BY 1"""
TABLESPACES = "SELECT spcname, oid FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY 1"
WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Question:
    """`sql` lists names, each a fault; or, where it only `tells`, something to know. `since`: PostgreSQL's version."""

    name: str
    sql: str
    tells: bool = False
    since: int = 0


QUESTIONS = (
    Question("invalid indexes", """
SELECT indexrelid::regclass FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1"""),
    Question("constraints that were never validated", """
SELECT conname || ' of ' || coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)
FROM pg_constraint WHERE NOT convalidated ORDER BY 1"""),
    Question("materialised views that are not filled", """
SELECT oid::regclass FROM pg_class WHERE relkind = 'm' AND NOT relispopulated ORDER BY 1"""),
    Question("pieces of large objects that belong to none", """
SELECT DISTINCT loid FROM pg_largeobject l
WHERE NOT EXISTS (SELECT FROM pg_largeobject_metadata m WHERE m.oid = l.loid) ORDER BY 1"""),
    Question("collations in use whose order has changed", """
SELECT DISTINCT c.collname || ': ' || c.collversion || ' there, ' ||
  coalesce(pg_collation_actual_version(c.oid), 'none') || ' here'
FROM pg_collation c WHERE c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
  AND c.collversion IS NOT NULL AND EXISTS (
    SELECT FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
    WHERE a.attcollation = c.oid AND r.oid >= 16384 AND r.relkind IN ('r', 'm', 'p', 'i', 'I')) ORDER BY 1"""),
    Question("an order of the database's own that has changed", """
SELECT datname || ': ' || datcollversion || ' there, ' || coalesce(pg_database_collation_actual_version(oid), 'none')
  || ' here' FROM pg_database WHERE datname = current_database() AND datcollversion IS NOT NULL
  AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)""", since=15),
    Question("subscriptions that would connect to somebody", """
SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database() AND subenabled ORDER BY 1"""),
    Question("subscriptions that are disabled", """
SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database() AND NOT subenabled ORDER BY 1""", tells=True),
    Question("servers that tables come from", "SELECT srvname FROM pg_foreign_server ORDER BY 1", tells=True),
    Question("triggers that are disabled", """
SELECT tgname || ' of ' || tgrelid::regclass FROM pg_trigger WHERE tgenabled = 'D' AND NOT tgisinternal
UNION ALL SELECT evtname FROM pg_event_trigger WHERE evtenabled = 'D' ORDER BY 1""", tells=True),
)  # fmt: skip  # a name and its SQL together


def databases(connect: Connect, names: Sequence[str] = ()) -> tuple[list[str], Look]:
    """Those that are looked at, and whether all that were named are there. Errors: `psycopg.Error`."""
    with asking(connect, "postgres", WITHIN) as connection:
        there, closed = column(connection, DATABASES), column(connection, CLOSED)
    missing = [name for name in names if name not in there]
    chosen = [name for name in names if name in there] if names else there
    seen = f"not there: {', '.join(missing)}" if missing else listed(chosen)
    seen += f"; not looked at, as they let nobody in: {listed(closed)}" if closed else ""
    expected = ", ".join(names) or "at least one"
    return chosen, _look("databases", not missing and bool(chosen), seen, DATABASES, expected, figure=len(chosen))


def structure(
    connect: Connect, names: Sequence[str], *, named: bool, roles: Sequence[str] = (), extensions: Sequence[str] = ()
) -> list[Look]:
    """`names`: of the databases; `named`: by the stack file, so that none of them may be empty.

    `roles` and `extensions`: what it says has to be there; an extension, in one of the databases.
    """
    looks = [*_whole(connect, roles), *_counted(connect, names, named=named)]
    installed: set[str] = set()
    for name in names:
        looks += _asked(connect, name, _questions)
        looks += _asked(connect, name, sequences)
        looks += libraries(connect, name, installed)
    if extensions:
        missing = [each for each in extensions if each not in installed]
        looks.append(_look("extensions that have to be there", not missing, f"missing: {listed(missing)}",
                           # in groups
                           "SELECT extname FROM pg_extension", ", ".join(extensions), figure=len(missing)))  # fmt: skip
    return looks


def _asked(connect: Connect, database: str, ask: Callable[[Any, str], list[Look]]) -> list[Look]:
    try:
        with asking(connect, database, WITHIN) as connection:
            return ask(connection, database)
    except psycopg.Error as error:
        return [_failed(f"{ask.__name__.strip('_')} of {database}", error)]


def _questions(connection: Any, database: str) -> list[Look]:
    version = connection.info.server_version // 10000
    looks = [_question(connection, each, database) for each in QUESTIONS if version >= each.since]
    number = connection.execute(MARK + LARGE_OBJECTS).fetchone()[0]
    return [*looks, _look(f"large objects of {database}", True, str(number), LARGE_OBJECTS, figure=number)]


def _question(connection: Any, question: Question, database: str) -> Look:
    name = f"{question.name}, in {database}"
    try:
        found = column(connection, question.sql)
    except psycopg.Error as error:
        return _failed(name, error, question.sql)
    expected = "" if question.tells else "none"
    return _look(name, question.tells or not found, listed(found), question.sql, expected, figure=len(found))


def _counted(connect: Connect, names: Sequence[str], *, named: bool) -> list[Look]:
    """A database that nobody named, such as `postgres`, may be empty as long as not all of them are."""
    found: dict[str, tuple[int, int, int, bool]] = {}
    looks = []
    for name in names:
        try:
            with asking(connect, name, WITHIN) as connection:
                counts = connection.execute(MARK + COUNTS).fetchone()
                found[name] = (*counts, _has_rows(connection))
        except psycopg.Error as error:
            looks.append(_failed(f"tables of {name}", error, COUNTS))
    some = any(counts[0] for counts in found.values())
    for name, (tables, indexes, views, rows) in found.items():
        seen = f"{tables} tables, {indexes} indexes, {views} views"
        spare = name == "postgres" and not named and some
        expected = "" if spare else "at least one table"
        looks.append(_look(f"tables of {name}", tables > 0 or spare, seen, COUNTS, expected, figure=tables))
        if tables:
            looks.append(_look(f"rows of {name}", rows, "some" if rows else "every table is empty",
                               # in groups
                               f"{TABLES}; SELECT EXISTS (SELECT FROM each)", "a table with rows"))  # fmt: skip
    return looks


def _has_rows(connection: Any) -> bool:
    return any(
        connection.execute(f"{MARK}SELECT EXISTS (SELECT FROM ONLY {table})").fetchone()[0]
        for table in column(connection, TABLES)
    )


def _whole(connect: Connect, roles: Sequence[str]) -> list[Look]:
    """Of the server, not of one of its databases."""
    try:
        with asking(connect, "postgres", WITHIN) as connection:
            looks = [_tablespaces(connection)]
            gone = column(connection, GRANTED)
            looks.append(_look("owners and grantees that are gone", not gone, listed(gone), GRANTED, "none",
                               figure=len(gone)))  # fmt: skip  # arguments in groups
            if roles:
                there = column(connection, "SELECT rolname FROM pg_roles")
                missing = [role for role in roles if role not in there]
                looks.append(_look("roles that have to be there", not missing, f"missing: {listed(missing)}",
                                   # in groups
                                   "SELECT rolname FROM pg_roles", ", ".join(roles), figure=len(missing)))  # fmt: skip
            return looks
    except psycopg.Error as error:
        return [_failed("the whole server", error)]


def _tablespaces(connection: Any) -> Look:
    sound, bad = 0, []
    for name, oid in connection.execute(MARK + TABLESPACES).fetchall():
        try:
            connection.execute(f"{MARK}SELECT count(*) FROM pg_ls_dir(%s)", [f"pg_tblspc/{oid}"])
            sound += 1
        except psycopg.Error as error:
            bad.append(f"{name} ({why(error)})")
    seen = f"cannot be read: {listed(bad)}" if bad else f"{sound} besides PostgreSQL's own"
    return _look("tablespaces", not bad, seen, TABLESPACES, "each can be read", figure=sound)


def _look(name: str, ok: bool, seen: str, text: str, expected: str = "", *, figure: float | None = None) -> Look:
    figure = None if figure is None else float(figure)
    return Look("structure", name, ok, seen, text=text.strip(), expected=expected, figure=figure)


def _failed(name: str, error: psycopg.Error, text: str = "") -> Look:
    """What is damaged is a fault; what cannot be asked otherwise is nothing that anybody saw."""
    ok = False if error.sqlstate and error.sqlstate.startswith("XX") else None
    return Look("structure", name, ok, f"it could not be asked: {why(error)}", text=text.strip())
