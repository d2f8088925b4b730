"""What the restored database brought of the original: archiving, subscriptions, and words by which it is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from harness.restores import Look
from harness.restores.proof import MARK, Connect, column, listed, why

ARCHIVING = """
SELECT name, setting FROM pg_settings WHERE name IN ('archive_mode', 'archive_command', 'archive_library')"""
FILES = """
SELECT f FROM pg_ls_dir('.') f WHERE f ~ '(\\.conf|\\.signal|\\.done|\\.old|\\.bak|pgpass)$'
UNION ALL SELECT d || '/' || f FROM unnest(ARRAY['conf.d', 'postgresql.conf.d']) d, pg_ls_dir(d, true, false) f
WHERE f LIKE '%.conf' ORDER BY 1"""
READ = "SELECT convert_from(pg_read_binary_file(%s, 0, 1048576, true), 'SQL_ASCII')"
SETTINGS = "SELECT name FROM pg_settings WHERE name IN ('primary_conninfo', 'primary_slot_name') AND setting <> ''"
ENABLED = """
SELECT quote_ident(subname) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database() AND subenabled ORDER BY 1"""
_PASSWORDS = re.compile(r"^[^#\s][^:]*:(?:\d+|\*):[^:]*:[^:]*:.+$", re.MULTILINE)  # as .pgpass has them
_STRING = re.compile(
    r"^\s*(?:primary_conninfo|restore_command|archive_command|archive_cleanup_command|recovery_end_command"
    r"|primary_slot_name|(?:host|hostaddr|service)\s*=)\s*=?\s*['\"]?[^\s'\"#]"
    r"|^[^#\n]*postgres(?:ql)?://",
    re.MULTILINE | re.IGNORECASE,
)


def archiving(connect: Connect) -> tuple[str, Look]:
    """`archive_mode` of the running server, and the look."""
    expected = "archive_mode off"
    try:
        with connect("postgres") as connection:
            found = dict(connection.execute(MARK + ARCHIVING).fetchall())
    except psycopg.Error as error:
        return "", Look("original", "archiving", None, f"it could not be asked: {why(error)}", ARCHIVING, expected)
    mode = str(found.get("archive_mode", ""))
    seen = f"archive_mode {mode}"
    if mode != "off":
        how = [
            word for word in ("archive_command", "archive_library") if found.get(word) not in (None, "", "(disabled)")
        ]
        seen += f", by {' and '.join(how)}" if how else ""
    return mode, Look("original", "archiving", mode == "off", seen, ARCHIVING.strip(), expected)


def disable_subscriptions(connect: Connect, databases: Sequence[str]) -> Look:
    """A backup of files has them as they were: each would connect to its publisher as soon as it may."""
    name, expected = "subscriptions are disabled", "none is enabled"
    disabled: list[str] = []
    try:
        for database in databases:
            with connect(database) as connection:
                for subscription in column(connection, ENABLED):
                    connection.execute(f"{MARK}ALTER SUBSCRIPTION {subscription} DISABLE")
                    disabled.append(f"{subscription} of {database}")
    except psycopg.Error as error:
        return Look("original", name, False, f"not all of them: {why(error)}", ENABLED.strip(), expected)
    seen = f"by us, after the restore: {listed(disabled)}" if disabled else "none was enabled"
    return Look("original", name, True, seen, ENABLED.strip(), expected, float(len(disabled)))


def strings_left(connect: Connect) -> tuple[list[str], Look]:
    """The files of the data directory in which something of the original can be reached by, and the look."""
    name, expected = "no way to the original is left in the data directory", "none"
    try:
        with connect("postgres") as connection:
            left = sorted(_left(connection))
            found = [row[0] for row in connection.execute(MARK + SETTINGS).fetchall()]
    except psycopg.Error as error:
        return [], Look("original", name, None, f"it could not be asked: {why(error)}", FILES.strip(), expected)
    seen = listed(left) + (f"; the server goes by {', '.join(found)}" if found else "")
    return left, Look("original", name, not (left or found), seen, FILES.strip(), expected, float(len(left)))


def _left(connection: Any) -> Iterator[str]:
    for (file,) in connection.execute(MARK + FILES).fetchall():
        text = (connection.execute(MARK + READ, [file]).fetchone() or ("",))[0] or ""
        if file.endswith("standby.signal") or _STRING.search(text) or _PASSWORDS.search(text):
            yield file
