"""What a script of pg_dump names, whether it is whole, and what psql would do by it besides."""

from __future__ import annotations

import pytest

from harness.restores.sources.script import Script, read_script
from tests import dumps


def read(*lines: str, **more: bool) -> Script:
    return read_script(dumps.script(*lines, **more).splitlines(keepends=True))


def test_what_it_names_is_found() -> None:
    """Roles by ownership, grants, policies and mappings; extensions; tablespaces; locales; its encoding."""
    found = read(
        "CREATE DATABASE shop WITH TEMPLATE = template0 LOCALE_PROVIDER = libc LOCALE = 'de_DE.UTF-8';",
        "CREATE COLLATION s.german (provider = icu, locale = 'de-DE');",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;",
        'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;',
        "ALTER TABLE s.orders OWNER TO app;",
        'ALTER TABLE s.orders OWNER TO "Odd ""one""";',
        "GRANT SELECT ON TABLE s.orders TO reader WITH GRANT OPTION;",
        "REVOKE ALL ON TABLE s.orders FROM former;",
        "GRANT USAGE ON SCHEMA s TO PUBLIC;",
        "GRANT admins TO app WITH INHERIT TRUE GRANTED BY postgres;",
        "GRANT pg_monitor TO watcher;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA s GRANT SELECT ON TABLES TO reader;",
        "CREATE POLICY mine ON s.orders FOR SELECT TO one, two USING (true);",
        "CREATE USER MAPPING FOR mapped SERVER other;",
        "SET default_tablespace = fast;",
        "SET default_tablespace = '';",
    )
    assert found.named == {
        "app", 'Odd "one"', "reader", "former", "watcher", "maker", "one", "two", "mapped",
    }  # fmt: skip  # a list
    assert found.missing_roles == sorted(found.named)
    assert found.extensions == {"pg_trgm", "uuid-ossp"}
    assert found.tablespaces == {"fast"}
    assert found.locales == {"de_DE.UTF-8", "icu:de-DE"}
    assert (found.databases, found.encoding, found.end) == ({"shop"}, "UTF8", "database")


def test_a_cluster_brings_its_roles() -> None:
    """And is ended by a line of its own."""
    found = read("CREATE ROLE app;", "CREATE USER other;", "ALTER TABLE x OWNER TO app;", cluster=True)
    assert (found.created, found.missing_roles, found.end) == ({"app", "other"}, [], "cluster")


def test_rows_are_none_of_its_words() -> None:
    """Whatever stands in them."""
    found = read(
        "COPY s.orders (note) FROM stdin;",
        "ALTER TABLE x OWNER TO evil;", "CREATE EXTENSION evil;", "-- PostgreSQL database dump complete", "\\N",
        "\\\\!",
        "\\.",
        "ALTER TABLE x OWNER TO app;",
    )  # fmt: skip  # the rows in a line
    assert (found.named, found.extensions, found.orders) == ({"app"}, set(), [])


@pytest.mark.parametrize(
    "last",
    [
        (), ("COPY s.orders (note) FROM stdin;", "a row"), ("--", "-- PostgreSQL database dump complete", "--", "x;"),
        ("COPY s.orders (note) FROM stdin;", "-- PostgreSQL database dump complete"),
    ],
)  # fmt: skip  # one a line
def test_one_that_is_cut_short_has_no_end(last: tuple[str, ...]) -> None:
    """Between statements, in the midst of rows, or with more behind."""
    assert read(*last, end=False).end == ""


def test_it_may_end_with_a_line_for_psql() -> None:
    """As since August 2025, and the lines of another system."""
    whole = b"\\restrict abc\n" + dumps.script("\\connect shop") + b"\\unrestrict abc\n\n"
    found = read_script(whole.replace(b"\n", b"\r\n").splitlines(keepends=True))
    assert (found.end, found.restricted, found.orders) == ("database", True, [])


@pytest.mark.parametrize(
    "line", ["\\! touch /tmp/x", "\\copy x from program 'id'", "\\o |sh", "\\i /etc/passwd", "\\gexec"]
)
def test_what_psql_would_do_is_found(line: str) -> None:
    """Also where it hides behind what looks like rows."""
    assert read("SELECT 1;", line).orders[0].startswith("line 10: \\")
    assert read("COPY x FROM stdin;", line, "\\.").orders
    assert read("\\connect shop").orders == []


def test_what_psql_refuses_is_none() -> None:
    """Between the lines by which it does; not where such a line stands in a text, which psql does not take for it."""
    assert read("\\! id").orders
    refused = ("\\restrict abc", "CREATE FUNCTION f() AS '", "\\d+", "'")
    assert read_script(line.encode() for line in refused).orders == []
    assert read_script(line.encode() for line in (*refused, "\\unrestrict abc", "\\! id")).orders == ["line 6: \\! id"]
    hidden = ("SELECT '", "\\restrict abc", "';", "\\! id")
    assert read_script(line.encode() for line in hidden).orders == ["line 4: \\! id"]
    again = ("\\restrict a", "SELECT 1;", "\\unrestrict a", "--", "-- shop", "\\connect shop", "\\restrict b", "\\! id")
    assert read_script(line.encode() for line in again).orders == []
    assert read("\\connect `id`").orders


@pytest.mark.parametrize("name", ["shop", '"Upper x"', """-reuse-previous=on "dbname='a ""b'\"""", "a-b"])
def test_a_connection_to_a_database_by_its_name_is_as_pg_dump_writes_it(name: str) -> None:
    """Also where the name is an odd one."""
    assert read(f"\\connect {name}").orders == []


@pytest.mark.parametrize(
    "words",
    [
        "shop postgres /var/run/postgresql 5432", "- - 10.0.0.1 5432", '"host=/tmp"', "host=/tmp", "postgres://a/b",
        """-reuse-previous=on "dbname='a' host='/tmp'\"""", """-reuse-previous=on "dbname='a'" x /tmp""", ":HOST",
    ],
)  # fmt: skip  # in groups
def test_a_connection_to_another_server_is_an_order(words: str) -> None:
    """A dump could write to whatever server this account reaches."""
    assert read(f"\\connect {words}").orders
