"""A dump is loaded by psql or pg_restore: with which words, and what is taken from theirs."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DrillError, NotInTime, Refused, Unable
from harness.restores.programs.place import AS_SERVER
from harness.restores.sources.load import Dump, Time, load, read_dump, room
from harness.system.command import CommandFailed, Commands, Done
from harness.system.recorder import Memory
from tests import dumps

WITHIN = timedelta(seconds=20)
RECORDER = Memory()
COMMANDS = Commands(RECORDER, label="test-load")


@dataclass
class Tools:
    """A place whose programs say what they are told to. `said`: exit code and errors of each program, by its name."""

    said: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    superuser: str = "postgres"
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, program: str, *words: str, **given: Any) -> Done:
        self.ran.append((program, *words))
        code, err = self.said.get(program, (0, ""))
        refused = "invalid command \\restrict" in err and not any("restrict" in word for word in words)
        return Done((program,), 0 if refused else code, "", "" if refused else err, timedelta(0))

    def connect(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def execute(self, _sql: str) -> Any:
        return self

    def fetchone(self) -> tuple[str]:
        return (self.superuser,)


class Stopping(Tools):
    """Its psql is content with globals."""

    def run(self, program: str, *words: str, **given: Any) -> Done:
        done = super().run(program, *words, **given)
        return Done(done.argv, 0, "", "", done.length) if str(given["stdin"]).endswith("globals.sql") else done


def of(content: bytes, at: Path, name: str = "a.dump") -> Dump:
    (at / name).write_bytes(content)
    return read_dump(at / name, COMMANDS, Time(WITHIN))


def loaded(dump: Dump, place: Tools, *, roles: Dump | None = None) -> list[str]:
    made: Any = place
    return load(dump, made, name="books", roles=roles, recorder=RECORDER, time=Time(WITHIN))


def test_a_script_is_opened_by_us_and_read_by_the_servers_account(tmp_path: Path) -> None:
    """What psql would do on its behalf is done inside; a line of it is named as of the file."""
    place = Tools({"psql": (3, "psql:<stdin>:9: ERROR:  no")})
    with pytest.raises(CommandFailed, match=r"psql:a\.sql:9: ERROR:  no"):
        loaded(of(dumps.script("CREATE TABLE x ();"), tmp_path, "a.sql"), place)
    assert "psql" in AS_SERVER
    assert [words[-1] for words in place.ran if words[0] == "psql"] == ["--file=-"]


def test_an_archive_makes_its_own_database(tmp_path: Path) -> None:
    """The one that is there already is taken away before."""
    place = Tools()
    assert loaded(of(dumps.archive(), tmp_path), place) == []
    assert [words[:3] for words in place.ran] == [("pg_restore", "--create", "--dbname=postgres")]
    assert any(word.startswith("--jobs=") for word in place.ran[0])
    place = Tools()
    loaded(of(dumps.archive(database="postgres"), tmp_path), place)
    assert [words[0] for words in place.ran] == ["dropdb", "pg_restore"]
    assert "--dbname=template1" in place.ran[1]


def test_what_pg_restore_ignored_is_said(tmp_path: Path) -> None:
    """Without statements and without rows; and all the roles that were not there."""
    err = (
        'pg_restore: error: could not execute query: ERROR:  role "app" does not exist\n'
        "Command was: ALTER TABLE s.orders OWNER TO app;\n\n"
        'pg_restore: error: COPY failed for table "x": ERROR:  invalid input syntax for type integer: "a secret"\n'
        'CONTEXT:  COPY x, line 2, column id: "a secret"\n'
        "pg_restore: warning: errors ignored on restore: 2\n"
    )
    RECORDER.facts.clear()
    said = loaded(of(dumps.archive(), tmp_path), Tools({"pg_restore": (1, err)}))
    assert [(kind, fact["exit"]) for kind, fact in RECORDER.facts] == [("command", 1)]
    assert "a secret" not in repr(RECORDER.facts)
    assert said == [
        'pg_restore: error: could not execute query: ERROR:  role "app" does not exist',
        'pg_restore: error: COPY failed for table "x": ERROR:  invalid input syntax for type integer: "…"',
        "pg_restore: warning: errors ignored on restore: 2",
        "roles that it names and nothing brings: app",
    ]


def test_an_archive_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """With the reason, and not with what became of it."""
    err = "pg_restore: error: could not read: end of file\npg_restore: error: a worker process died unexpectedly\n"
    with pytest.raises(CommandFailed) as caught:
        loaded(of(dumps.archive(), tmp_path), Tools({"pg_restore": (1, err)}))
    assert caught.value.message == "pg_restore exited 1: pg_restore: error: could not read: end of file"


def test_a_script_is_loaded_into_a_database_that_is_made(tmp_path: Path) -> None:
    """As restricted as if it said so itself; where it makes its own, or connects, it begins in the first."""
    place = Tools()
    loaded(of(dumps.script(), tmp_path), place)
    assert place.ran[0] == ("createdb", "--template=template0", "--encoding=UTF8", "books")
    assert {"--no-psqlrc", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--dbname=books"} <= set(place.ran[1])
    assert any(word.startswith("--command=\\restrict ") for word in place.ran[1])
    place = Tools()
    loaded(of(dumps.script("CREATE DATABASE shop;", "\\connect shop"), tmp_path), place)
    assert [words[0] for words in place.ran] == ["psql"]
    assert "--dbname=postgres" in place.ran[0]
    assert not any(word.startswith("--command=") for word in place.ran[0])
    place = Tools()
    loaded(of(dumps.script("CREATE DATABASE postgres;", "\\connect postgres"), tmp_path), place)
    assert [words[0] for words in place.ran] == ["dropdb", "psql"]
    place = Tools()
    loaded(of(dumps.script().replace(b"UTF8", b"LATIN1"), tmp_path), place)
    assert place.ran[0][2:4] == ("--encoding=LATIN1", "--locale=C")


def test_an_old_psql_knows_no_restrict(tmp_path: Path) -> None:
    """The script was searched: it is loaded without."""
    place = Tools({"psql": (3, "psql: error: invalid command \\restrict\n")})
    assert loaded(of(dumps.script(), tmp_path), place) == []
    assert [words[0] for words in place.ran] == ["createdb", "psql", "psql"]


def test_a_cluster_may_make_the_first_role_again(tmp_path: Path) -> None:
    """That one alone, and under whichever name; every other word counts, though psql ended well."""
    lines = [f'psql:a:{each}: ERROR:  role "{name}" already exists' for each, name in enumerate(("boss", "app"))]
    place = Tools({"psql": (0, "\n".join([*lines, "psql:a:9: WARNING:  odd"]))}, superuser="boss")
    assert loaded(of(dumps.script(cluster=True), tmp_path), place) == [lines[1], "psql:a:9: WARNING:  odd"]
    assert "--set=ON_ERROR_STOP=0" in place.ran[0]
    with pytest.raises(CommandFailed, match="already exists"):
        loaded(of(dumps.script(), tmp_path), Tools({"psql": (3, lines[0])}, superuser="boss"))


def test_globals_come_first(tmp_path: Path) -> None:
    """And what was wrong with them is said as well."""
    roles = of(dumps.script("CREATE ROLE app;", cluster=True), tmp_path, "globals.sql")
    place = Tools({"psql": (0, "psql:globals.sql:3: ERROR:  no such folder")})
    assert loaded(of(dumps.archive(), tmp_path), place, roles=roles) == ["psql:globals.sql:3: ERROR:  no such folder"]
    assert [words[0] for words in place.ran] == ["psql", "pg_restore"]


def test_all_roles_that_a_script_lacks_are_named(tmp_path: Path) -> None:
    """Where it was stopped by one; without those of the globals."""
    roles = of(dumps.script("CREATE ROLE app;", cluster=True), tmp_path, "globals.sql")
    dump = of(dumps.script(*(f"ALTER TABLE x OWNER TO {name};" for name in ("app", "b", "c"))), tmp_path, "a.sql")
    place = Stopping({"psql": (3, 'psql:a.sql:9: ERROR:  role "b" does not exist')})
    with pytest.raises(CommandFailed, match=r'role "b" does not exist; roles that it names and nothing brings: b, c'):
        loaded(dump, place, roles=roles)


def test_many_words_are_cut(tmp_path: Path) -> None:
    """The last one is there: it has the count."""
    err = "\n".join(f"psql:a:{each}: WARNING:  odd" for each in range(400))
    said = loaded(of(dumps.script(), tmp_path), Tools({"psql": (0, err)}))
    assert len(said) == 51
    assert said[-2:] == ["and 350 more lines like these", "psql:a:399: WARNING:  odd"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.dump", "a.dump: it is empty"),
        (dumps.script(end=False), "a.sql", 'a.sql: it is cut short: the line "PostgreSQL database dump complete"'),
        (gzip.compress(dumps.script())[:-9], "a.sql.gz", "a.sql.gz is cut short or spoilt"),
        (gzip.compress(dumps.script(end=False)), "a.sql.gz", "a.sql.gz: it is cut short"),
        (dumps.tar(), "a.tar", "a.tar is cut short: it does not end as a tar does"),
    ],
)
def test_what_is_not_whole_is_not_loaded(content: bytes, name: str, said: str, tmp_path: Path) -> None:
    """Whatever a tool would say of it."""
    with pytest.raises(DrillError, match=said):
        of(content, tmp_path, name)


def test_rows_of_a_directory_have_an_end(tmp_path: Path) -> None:
    """Where they are not packed, pg_restore would not see that some are missing."""
    (tmp_path / "toc.dat").write_bytes(dumps.archive(kind=3))
    for content, whole in (
        (b"1\ta\n\\.\n\n\n", True), (b"INSERT INTO x VALUES (1);\n\n\n", True), (b"1\ta\n", False), (b"", False),
        (b"INSERT INTO x VALUES (1);\n", False), (b"\n\n", False),
    ):  # fmt: skip  # in groups
        (tmp_path / "2581.dat").write_bytes(content)
        if whole:
            assert read_dump(tmp_path, COMMANDS, Time(WITHIN)).script is None
        else:
            with pytest.raises(DrillError, match=r"2581\.dat is cut short"):
                read_dump(tmp_path, COMMANDS, Time(WITHIN))


def test_a_script_with_an_order_is_refused(tmp_path: Path) -> None:
    """psql would carry it out on this machine."""
    with pytest.raises(Refused, match=r"a\.dump has line 10: \\! id: pg_dump does not write that"):
        of(dumps.script("SELECT 1;", "\\! id"), tmp_path)


def test_time_and_room_end(tmp_path: Path) -> None:
    """Each in words of its own."""
    with pytest.raises(NotInTime, match=r"not loaded within 0 s"):
        _ = Time(timedelta(0)).left
    with pytest.raises(Unable, match="No space left on device"), room(tmp_path):
        raise OSError(28, "No space left on device")
