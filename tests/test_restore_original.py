"""The original: untouched and out of reach; whose backup it is; and the offered heartbeat. Each look can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from harness.errors import NotReady
from harness.restores import Kept
from harness.restores.described import Backup
from harness.restores.proof import identity, listed, original
from harness.restores.proof.heartbeat import Beats, heartbeat_sql, job

ENDED = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
KEPT = Kept("1", ENDED, 18, "files", 1, 1, system="7", began=ENDED - timedelta(minutes=10))
BACKUP = Backup("app", "pg_basebackup", system="7")
SAID = """\
pg_control version number:            1800
Database system identifier:           7
Database cluster state:               in production
Time of latest checkpoint:            Mon Nov 30 09:51:00 2026
Latest checkpoint's TimeLineID:       1
Data page checksum version:           1
"""


class Server:
    """A connection that answers with these rows."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self.rows = list(rows)

    def __call__(self, database: str) -> Server:
        return self

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def execute(self, sql: str) -> Server:
        return self

    def fetchall(self) -> list[tuple[str, str]]:
        return self.rows


def test_a_server_that_archives_is_told() -> None:
    """Its mode is what it says itself, and by what it archives; one that does not answer is UNKNOWN."""
    mode, look = original.archiving(Server(("archive_mode", "on"), ("archive_command", "push %p")))
    assert mode == "on" and look.ok is False and look.seen == "archive_mode on, by archive_command"
    mode, look = original.archiving(Server(("archive_mode", "off"), ("archive_command", "(disabled)")))
    assert mode == "off" and look.ok is True
    assert original.archiving(Server())[1].ok is False

    def gone(database: str) -> Server:
        raise psycopg.OperationalError("connection refused")

    assert original.archiving(gone)[1].ok is None


def test_a_backup_of_another_system_is_told() -> None:
    """Against the stack file, and against the catalogue; where neither says it nobody can."""
    found = identity.read(SAID, version=18)
    assert found.checksums and found.timeline == 1 and found.state == "in production"
    assert [look.ok for look in identity.looks_at_files(found, BACKUP, KEPT)] == [True] * 4
    other = replace(found, system="8")
    assert [look.ok for look in identity.looks_at_files(other, BACKUP, KEPT)] == [False, False, True, True]
    silent = identity.looks_at_files(found, replace(BACKUP, system=""), replace(KEPT, system=""))
    assert [look.ok for look in silent] == [None, True, True]
    gone = identity.looks_at_files(NotReady("no control file", hint=""), BACKUP, KEPT)
    assert [look.ok for look in gone] == [None]


@pytest.mark.parametrize(("began", "ended", "ok"), [
    (timedelta(minutes=-10), timedelta(0), True), (timedelta(days=1), timedelta(days=1), False),
    (timedelta(days=-2), timedelta(days=-2), False), (None, timedelta(0), True), (None, timedelta(days=3), None),
])  # fmt: skip  # how far off the catalogue is
def test_an_old_backup_under_a_fresh_entry_is_told(began: timedelta | None, ended: timedelta, ok: bool | None) -> None:
    """Its last checkpoint is from when it was taken: a backup begins with one."""
    kept = replace(KEPT, began=None if began is None else ENDED + began, ended=ENDED + ended)
    assert identity.looks_at_files(identity.read(SAID, version=18), BACKUP, kept)[-1].ok is ok


def test_a_dump_is_known_by_its_database() -> None:
    """It has no identifier: where one is asked for, nobody can say it."""
    kept = replace(KEPT, form="dump", system="", database="app")
    quiet = replace(BACKUP, system="")
    assert [look.ok for look in identity.looks_at_dump(["app", "postgres"], 18, quiet, kept)] == [True, True]
    assert [look.ok for look in identity.looks_at_dump(["postgres"], 15, quiet, kept)] == [False, False]
    assert [look.ok for look in identity.looks_at_dump(["app"], 18, BACKUP, kept)] == [True, None, True]
    assert identity.looks_at_dump(["app"], 18, quiet, replace(kept, database=""))[-1].ok is None


def test_the_heartbeat_is_offered_in_three_ways() -> None:
    """As a loop, as a service and as a job of the database, all of the same statement."""
    text = job("beats")
    assert text.count("INSERT INTO beats") == 3 and "pg_cron" in text and "ExecStart" in text
    assert heartbeat_sql("beats").startswith("CREATE TABLE IF NOT EXISTS beats")


def test_the_line_of_a_heartbeat_says_how_far_it_is_behind() -> None:
    """From its last row to when the archive was looked at."""
    line = Beats(7, "2026-11-30T09:59:00+00:00", 7, 0, 1.0).line(ENDED)
    assert line["behind"] == 60 and line["now"] == ENDED.isoformat()
    assert set(line) == {"number", "at", "rows", "missing", "every", "now", "behind"}


def test_a_long_list_is_cut() -> None:
    """The first of it, and how many there are."""
    assert listed([]) == "none" and listed(["a"]) == "1: a" and listed(list("abcd")) == "4: a, b, c, …"
