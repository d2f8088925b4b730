"""What is looked at in a restored database, on real servers: green on a sound one, and each red where it is not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from harness.checks.reconciliation import Rule
from harness.project.books import Book, PlainBooks
from harness.restores import Look
from harness.restores.described import Heartbeat, RowCheck
from harness.restores.programs.place import OwnPlace
from harness.restores.proof import original, proposed
from harness.restores.proof.heartbeat import heartbeat, heartbeat_sql, insert
from harness.restores.proof.rows import books, rows
from harness.restores.proof.structure import databases, structure
from harness.stacks.attached.file.backups import _row_check
from harness.workload.plain.query import Query
from tests.real.restored import VERSIONS, cluster, database, place, run

SOUND = (
    "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE orders (id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, amount numeric,"
    " note text)",
    "ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
    "INSERT INTO customers (name) SELECT 'somebody ' || g FROM generate_series(1, 100) g",
    "INSERT INTO orders (customer, amount, note) SELECT 1 + g % 100, g, repeat(md5(g::text), 200)"
    " FROM generate_series(1, 1000) g",
    "CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(amount) FROM orders GROUP BY 1",
    "SELECT lo_from_bytea(0, 'large')",
)
CATALOGUES = "SET allow_system_table_mods = on"  # and then what no restore should leave, is made


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlace]:
    with place(tmp_path_factory.mktemp("server") / "place", request.param) as made:
        yield cluster(made)


@pytest.fixture
def name(server: OwnPlace, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own, that is sound."""
    yield database(server, "sound", *SOUND)
    with server.connect() as connection:
        connection.execute("DROP DATABASE sound")


def red(looks: Sequence[Look]) -> dict[str, str]:
    return {look.name: look.seen for look in looks if look.ok is False}


def unknown(looks: Sequence[Look]) -> dict[str, str]:
    return {look.name: look.seen for look in looks if look.ok is None}


def structured(server: OwnPlace, name: str, **more: Sequence[str]) -> list[Look]:
    return structure(server.connect, [name], named=True, **more)


# Structure


def test_a_sound_database_is_green(server: OwnPlace, name: str) -> None:
    """No look is red or unknown, each says its SQL, and the figures are of what is there."""
    looks = structured(server, name, roles=["postgres"], extensions=["plpgsql"])
    assert {look.ok for look in looks} == {True}
    assert [look.name for look in looks if not look.text] == []
    figures = {look.name: look.figure for look in looks}
    assert (figures["tables of sound"], figures["large objects of sound"], figures["sequences of sound"]) == (2, 1, 2)


FAULTS = {
    "an index that is invalid": (
        "invalid indexes", "customers_pkey",
        CATALOGUES, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customers_pkey'::regclass"),
    "a constraint that was never validated": (
        "constraints that were never validated", "positive of orders",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 5) NOT VALID"),
    "a materialised view that is not filled": (
        "materialised views that are not filled", "sums", "REFRESH MATERIALIZED VIEW sums WITH NO DATA"),
    "pieces of a large object": (
        "pieces of large objects that belong to none", "1", CATALOGUES, "DELETE FROM pg_largeobject_metadata"),
    "a serial behind its ids": ("sequences", "orders_id_seq by 990", "SELECT setval('orders_id_seq', 10)"),
    "an identity at its begin": (
        "sequences", "customers_id_seq by 99", "ALTER SEQUENCE customers_id_seq RESTART"),
    "a sequence of nobody, that a default uses": (
        "sequences", "loose by 4", "CREATE SEQUENCE loose",
        "CREATE TABLE others (id int DEFAULT nextval('loose'))", "INSERT INTO others VALUES (5)"),
    "a sequence that counts down": (
        "sequences", "down by 4", "CREATE SEQUENCE down INCREMENT -1",
        "CREATE TABLE others (id int DEFAULT nextval('down'))", "INSERT INTO others VALUES (-5)"),
    "a library that is gone": (
        "extensions", "$libdir/gone", CATALOGUES,
        "CREATE FUNCTION f(internal) RETURNS internal LANGUAGE c AS 'plpgsql', 'plpgsql_call_handler'",
        "UPDATE pg_proc SET probin = '$libdir/gone' WHERE proname = 'f'"),
    "an owner who is gone": (
        "owners and grantees that are gone", "sound: role", CATALOGUES, "CREATE ROLE gone",
        "ALTER TABLE customers OWNER TO gone", "DELETE FROM pg_authid WHERE rolname = 'gone'"),
    "a collation of another library": (
        "collations in use whose order has changed", "mine: 0.1 there", CATALOGUES,
        "CREATE COLLATION mine (locale = 'C.utf8')",
        "CREATE TABLE words (word text COLLATE mine)",
        "UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'mine'"),
    "a database of another library": (
        "an order of the database's own that has changed", "sound: 0.1 there", CATALOGUES,
        "UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'sound'"),
    "no rows": ("rows", "every table is empty", "TRUNCATE customers, orders"),
    "no tables": ("tables", "0 tables", "DROP TABLE orders, customers CASCADE"),
    "a subscription that goes on": (
        "subscriptions that would connect to somebody", "follows", CATALOGUES,
        "CREATE SUBSCRIPTION follows CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)",
        "UPDATE pg_subscription SET subenabled = true"),
}  # fmt: skip  # a fault, the look that finds it, and how it is made


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_structure_is_red(server: OwnPlace, name: str, fault: str) -> None:
    """By the one look that is about it, with the name of what is wrong."""
    about, seen, *statements = FAULTS[fault]
    run(server, name, *statements)
    try:
        found = red(structured(server, name))
        assert len(found) == 1 and next(iter(found)).startswith(about) and seen in next(iter(found.values()))
    finally:
        run(
            server,
            name,
            CATALOGUES,
            "DELETE FROM pg_subscription",
            "DELETE FROM pg_shdepend WHERE refobjid NOT IN"
            " (SELECT oid FROM pg_authid) AND refclassid = 'pg_authid'::regclass",
            "UPDATE pg_class SET relowner = 10 WHERE relowner NOT IN (SELECT oid FROM pg_authid)",
        )


def test_subscriptions_are_disabled_and_told(server: OwnPlace, name: str) -> None:
    """A restored one would connect to its publisher: it is named, and from then on no fault of the structure."""
    run(server, name, *FAULTS["a subscription that goes on"][2:])
    look = original.disable_subscriptions(server.connect, ["postgres", name])
    assert look.ok and look.seen.endswith("1: follows of sound") and look.figure == 1
    assert original.disable_subscriptions(server.connect, [name]).seen == "none was enabled"
    looks = structured(server, name)
    told = {look.name: look.seen for look in looks}
    assert red(looks) == {} and told["subscriptions that are disabled, in sound"] == "1: follows"
    assert original.disable_subscriptions(server.connect, ["nowhere"]).ok is False
    run(server, name, CATALOGUES, "DELETE FROM pg_subscription")


def test_what_a_restore_cannot_have_done_is_told_alone(server: OwnPlace, name: str) -> None:
    """Disabled triggers, foreign servers and disabled subscriptions are named, and green."""
    run(server, name, "CREATE EXTENSION postgres_fdw", "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'",
        "CREATE TRIGGER quiet BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION t()",
        "ALTER TABLE orders DISABLE TRIGGER quiet")  # fmt: skip  # statements
    looks = structured(server, name)
    seen = {look.name.partition(",")[0]: look.seen for look in looks}
    assert red(looks) == {} and unknown(looks) == {}
    assert seen["servers that tables come from"] == "1: elsewhere"
    assert seen["triggers that are disabled"] == "1: quiet of orders"


def test_roles_and_extensions_that_have_to_be_there_are_asked_for(server: OwnPlace, name: str) -> None:
    """Each that is not there is named."""
    found = red(structured(server, name, roles=["postgres", "clerk"], extensions=["plpgsql", "postgis"]))
    assert found == {
        "roles that have to be there": "missing: 1: clerk",
        "extensions that have to be there": "missing: 1: postgis",
    }


def test_a_tablespace_without_its_folder_is_red(server: OwnPlace, name: str) -> None:
    """Its name is said."""
    folder = server.data.parent / "tablespaces"
    folder.mkdir(mode=0o700)
    os.chown(folder, server.data.stat().st_uid, -1)
    run(server, name, f"CREATE TABLESPACE far LOCATION '{folder}'")
    assert red(structured(server, name)) == {}
    folder.rename(folder.with_name("aside"))
    assert "far" in red(structured(server, name))["tablespaces"]
    folder.with_name("aside").rename(folder)
    run(server, name, "DROP TABLESPACE far")


def test_databases_that_were_named_have_to_be_there(server: OwnPlace, name: str) -> None:
    """Those that are there are looked at; a spare `postgres` may be empty, unless it was named."""
    there, look = databases(server.connect)
    assert there == ["postgres", "sound"] and look.ok and look.seen == "2: postgres, sound"
    run(server, "postgres", "ALTER DATABASE sound ALLOW_CONNECTIONS false")
    there, look = databases(server.connect)
    assert there == ["postgres"] and "let nobody in: 1: sound" in look.seen
    run(server, "postgres", "ALTER DATABASE sound ALLOW_CONNECTIONS true")
    there, look = databases(server.connect, ["sound", "gone"])
    assert there == ["sound"] and look.ok is False and "gone" in look.seen
    assert red(structure(server.connect, ["postgres", "sound"], named=False)) == {}
    assert "tables of postgres" in red(structure(server.connect, ["postgres", "sound"], named=True))
    assert "tables of postgres" in red(structure(server.connect, ["postgres"], named=False))


# Rows


def check(sql: str, least: int | None = 5, most: int | None = None) -> RowCheck:
    bounds = [None if bound is None else Decimal(bound) for bound in (least, most)]
    return RowCheck("it", sql, least=bounds[0], most=bounds[1])


def test_rows_are_held_against_what_is_expected(server: OwnPlace, name: str) -> None:
    """Within the bounds it is green, with the figure; outside of them red."""
    for least, most, ok in (
        (100, 100, True),
        (1, None, True),
        (None, 100, True),
        (101, None, False),
        (None, 99, False),
    ):
        (look,) = rows(server.connect, [check("SELECT count(*) FROM customers", least, most)], first=name)
        assert (look.ok, look.figure, look.text) == (ok, 100, "SELECT count(*) FROM customers")


@pytest.mark.parametrize(("sql", "said"), [
    ("SELECT NULL::int", "NULL"), ("SELECT 'secret'", "no number: str"), ("SELECT true", "no number: bool"),
    ("SELECT 'NaN'::numeric", "no number"), ("SELECT 10::numeric ^ 400", "too large"),
    ("SELECT id FROM customers", "more than one row"),
    ("SELECT id FROM customers WHERE id = 0", "no row"), ("SELECT 5, 6", "2 columns"),
    ("SELECT nothing", "UndefinedColumn"), ("SELECT 'secret'::int", "SQLSTATE 22P02"),
    ("DELETE FROM orders RETURNING 5", "ReadOnlySqlTransaction"), ("COMMIT; DELETE FROM orders", "SyntaxError"),
    ("SELECT count(*) FROM orders, pg_sleep(5)", "QueryCanceled"),
])  # fmt: skip  # SQL, and what is said of it
def test_an_answer_that_is_no_number_is_red(server: OwnPlace, name: str, sql: str, said: str) -> None:
    """The reason is said, and no value of a row; nothing is written."""
    (look,) = rows(server.connect, [check(sql)], first=name, within=timedelta(seconds=1))
    assert look.ok is False and said in look.seen and "secret" not in look.seen
    (look,) = rows(server.connect, [check("SELECT count(*) FROM orders", 1000, 1000)], first=name)
    assert look.ok


def test_nothing_is_green_where_nothing_is_expected(server: OwnPlace, name: str) -> None:
    """Neither a check without a bound, nor no check at all, nor a database that is not there."""
    assert [look.ok for look in rows(server.connect, [check("SELECT 1", None)], first=name)] == [None]
    assert [look.ok for look in rows(server.connect, [], first=name)] == [None]
    assert [look.ok for look in rows(server.connect, [check("SELECT 1")], first="nowhere")] == [False]


def test_the_books_of_the_project_are_looked_at(server: OwnPlace, name: str) -> None:
    """Each that needs nothing from before; with none of those nobody can say anything."""
    zero = Book(Query("SELECT count(*) FROM orders WHERE amount < 0"), Rule("zero", "debts", "debts"))
    least = Book(Query("SELECT count(*) FROM orders"), Rule("not_behind", "many", "many", than="many, at least"),
                 Decimal(1001))  # fmt: skip  # arguments in groups
    before = Book(Query("SELECT 1"), Rule("equal", "same", "same"))
    text = Book(Query("SELECT 'secret'"), Rule("zero", "text", "text"))
    given = PlainBooks(Path("books.yaml"), {"debts": zero, "many": least, "same": before, "text": text})
    looks = books(server.connect, given, database=name)
    assert [(look.name, look.ok) for look in looks] == [
        ("book debts", True),
        ("book many", False),
        ("book text", False),
    ]
    assert "secret" not in str(looks[2].seen)
    assert [look.ok for look in books(server.connect, PlainBooks(Path("b"), {"same": before}), database=name)] == [None]


def test_what_is_proposed_is_true_and_can_fail(server: OwnPlace, name: str) -> None:
    """It is YAML of the stack file: each check is met now, and not once rows are gone or point to nothing."""
    run(server, name, "CREATE TABLE days (day date) PARTITION BY RANGE (day)",
        "CREATE TABLE days_1 PARTITION OF days DEFAULT",
        "INSERT INTO days VALUES ('2026-11-30'), ('2026-12-01')")  # fmt: skip  # statements
    text = proposed.proposed(server.connect, [name])
    checks = [_row_check(each) for each in yaml.safe_load(text)["checks"]]
    assert "PROPOSED" in text and len(checks) == 4 and "SELECT count(*) FROM days" in text
    assert {look.ok for look in rows(server.connect, checks, first=name)} == {True}
    run(server, name, "ALTER TABLE orders DISABLE TRIGGER ALL", "ALTER TABLE customers DISABLE TRIGGER ALL",
        "DELETE FROM customers WHERE id > 80", "DELETE FROM orders WHERE id > 800",
        "TRUNCATE days")  # fmt: skip  # statements
    assert {look.ok for look in rows(server.connect, checks, first=name)} == {False}
    assert "nothing to propose" in proposed.proposed(server.connect, ["postgres"])


def test_a_heartbeat_is_read(server: OwnPlace, name: str) -> None:
    """By the very statements that are offered; a gap, a number twice, no row and no table are told."""
    given = Heartbeat("drdrill_heartbeat", name, timedelta(seconds=1))
    assert heartbeat(server.connect, given, first="")[1][0].ok is None
    run(server, name, heartbeat_sql().split("INSERT")[0])
    assert heartbeat(server.connect, given, first="")[1][0].ok is False
    for _ in range(5):
        run(server, name, insert())
    beats, (look,) = heartbeat(server.connect, given, first="")
    assert beats and (beats.number, beats.rows, beats.missing) == (5, 5, 0) and look.ok
    run(server, name, "ALTER TABLE drdrill_heartbeat DROP CONSTRAINT drdrill_heartbeat_pkey",
        "DELETE FROM drdrill_heartbeat WHERE number IN (2, 3)")  # fmt: skip  # statements
    beats, (look,) = heartbeat(server.connect, given, first="")
    assert beats and beats.missing == 2 and look.ok is False and "after number 1" in look.seen
    run(server, name, "INSERT INTO drdrill_heartbeat SELECT generate_series(1, 3), now()")
    beats, (look,) = heartbeat(server.connect, given, first="")
    assert beats and beats.missing == 0 and look.ok is False and "twice" in look.seen


# The original


def test_archiving_is_asked_of_the_server(server: OwnPlace) -> None:
    """It is off here; the connection strings that somebody leaves in the data directory are found, and comments not."""
    assert original.archiving(server.connect)[0] == "off"
    assert original.strings_left(server.connect)[0] == []
    files = {"recovery.conf": "primary_conninfo = 'host=original'\n", ".pgpass": "original:5432:*:me:word\n",
             "postgresql.auto.conf": "#archive_command = 'cp'\n", "pg_service.conf": "[o]\nhost=original\n",
             "conf.d/ours.conf": "restore_command = 'fetch %f'\n"}  # fmt: skip  # a file and its text
    (server.data / "conf.d").mkdir()
    for file, text in files.items():
        (server.data / file).write_text(text)
        (server.data / file).chmod(0o644)
    left, look = original.strings_left(server.connect)
    assert left == [".pgpass", "conf.d/ours.conf", "pg_service.conf", "recovery.conf"] and look.ok is False
    for file in files:
        (server.data / file).unlink()
    (server.data / "conf.d").rmdir()
