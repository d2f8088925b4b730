"""What tools and servers say of what was skipped, ignored or wrong; what is usual in a recovery; and no row's value."""

from __future__ import annotations

import pytest

from harness.restores import Look
from harness.restores.proof import MARK
from harness.restores.proof.log import looks_at_log

AT = "2026-11-30 10:38:24.621 UTC [4] "
USUAL = f"""\
{AT}LOG:  starting PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, 64-bit
{AT}LOG:  database system was interrupted; last known up at 2026-11-30 10:38:23 UTC
cp: cannot stat '/place/wal/00000002.history': No such file or directory
{AT}LOG:  starting archive recovery
{AT}LOG:  restored log file "000000010000000000000002" from archive
{AT}LOG:  redo starts at 0/2000028
{AT}LOG:  automatic analyze of table "app.public.failures": pages: 0 removed
cp: cannot stat '/place/wal/000000010000000000000006': No such file or directory
{AT}FATAL:  the database system is starting up
{AT}FATAL:  the database system is not yet accepting connections
{AT}DETAIL:  Consistent recovery state has not been yet reached.
{AT}LOG:  invalid record length at 0/5000110: wanted 24, got 0
{AT}LOG:  invalid record length at 0/5000110: expected at least 24, got 0
{AT}LOG:  redo done at 0/5000188 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.03 s
{AT}LOG:  archive recovery complete
{AT}LOG:  database system is ready to accept connections
{AT}ERROR:  relation "nothing" does not exist at character 15
{AT}STATEMENT:  {MARK}SELECT count(*)
\tFROM nothing -- where something is missing
{AT}FATAL:  terminating connection due to administrator command
{AT}LOG:  database system is shut down
"""


def server(log: str) -> Look:
    return looks_at_log([], log)[1]


def test_a_usual_recovery_is_green() -> None:
    """The end of the archive, those who asked too early, and the errors of our own statements are no fault."""
    assert [look.ok for look in looks_at_log([], USUAL)] == [True, True]


@pytest.mark.parametrize("line", [
    'WARNING:  page verification failed, calculated checksum 7 but expected 9',
    'ERROR:  invalid page in block 3 of relation base/16384/16402',
    'LOG:  incorrect resource manager data checksum in record at 0/4000160',
    'LOG:  record with incorrect prev-link 0/0 at 0/4000070',
    'LOG:  there is no contrecord flag at 0/4000000',
    'LOG:  unexpected pageaddr 0/2000000 in log segment 000000010000000000000004, offset 0',
    'FATAL:  archive file "000000010000000000000004" has wrong size: 8388608 instead of 16777216',
    'FATAL:  recovery ended before configured recovery target was reached',
    'FATAL:  could not locate required checkpoint record',
    'PANIC:  could not locate a valid checkpoint record',
    'LOG:  server process (PID 7) was terminated by signal 11: Segmentation fault',
    'LOG:  could not open file "pg_wal/000000010000000000000002": No such file or directory',
    'WARNING:  database "app" has a collation version mismatch',
    'LOG:  invalid record length at 0/5000110: wanted 24, got 7',
    'LOG:  invalid magic number D10D in log segment 000000010000000000000004, offset 0',
])  # fmt: skip  # one each
def test_a_line_that_says_that_something_is_wrong_is_red(line: str) -> None:
    """The first one is said, and how many there are."""
    look = server(USUAL + AT + line + "\n" + AT + line + "\n")
    assert look.ok is False and look.figure == 2 and line.partition("  ")[2] in look.seen


@pytest.mark.parametrize(
    "line",
    [
        "gzip: stdin: unexpected end of file",
        "cp: error writing 'x': No space left on device",
        "cp: cannot stat '/place/backup_label': No such file or directory",
    ],
)
def test_what_a_restore_command_says_is_read(line: str) -> None:
    """It has no severity, and no time; only a piece of the archive that is not there is usual."""
    assert server(USUAL + line).ok is False


def test_an_error_of_somebody_else_is_red() -> None:
    """Such as that of a dump being loaded; of ours only what says that data is damaged."""
    assert server(USUAL.replace(MARK, "")).ok is False
    damaged = USUAL.replace('relation "nothing" does not exist', "could not read block 3 in file")
    assert server(damaged).ok is False


def test_a_log_that_says_nothing_is_no_proof() -> None:
    """One that is empty, or in another language, is UNKNOWN."""
    assert server("").ok is None
    assert server(f"{AT}LOG:  Datenbanksystem ist bereit, um Verbindungen anzunehmen").ok is None


def test_what_a_tool_has_skipped_is_red() -> None:
    """Whatever a source hands on is, but for what is usual and for what belongs to a line before."""
    said = ['pg_restore: error: could not execute query: ERROR:  role "clerk" does not exist',
            "pg_restore: warning: errors ignored on restore: 1"]  # fmt: skip  # two lines
    tools, _ = looks_at_log(said, USUAL)
    assert tools.ok is False and tools.figure == 2 and "clerk" in tools.seen
    usual = ['psql:globals.sql:5: ERROR:  role "postgres" already exists', "HINT:  nothing", " ",
             "P00   WARN: unable to open log file '/var/log/x': Permission denied"]  # fmt: skip  # lines
    assert looks_at_log(usual, USUAL)[0].ok is True


@pytest.mark.parametrize("line", [
    'ERROR:  invalid input syntax for type json: "{"a": "secret"}"', "LINE 1: 5 secret",
    'ERROR:  invalid input syntax for type integer: "secret"',
    'ERROR:  value "secret" is out of range for type integer',
    'ERROR:  syntax error at or near "secret"', r"invalid command \secret",
    'ERROR:  duplicate key (Key (name)=(secret) already exists.)',
    'ERROR:  date/time field value out of range: "secret"',
])  # fmt: skip  # one each
def test_no_value_of_a_row_is_said(line: str) -> None:
    """What may be one is left out of the line."""
    look = looks_at_log([f"psql:dump.sql:7: {line}"], USUAL)[0]
    assert look.ok is False and "secret" not in look.seen and "…" in look.seen
