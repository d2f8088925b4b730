"""That the original is untouched, and out of reach of what was restored from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from harness.restores import Inventory, Look
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
AWAY = ("network is unreachable", "no route to host", "network unreachable", "host is unreachable", "network is down")
ANSWERS = {"taken": "somebody took the connection", "refused": "somebody refused it: an answer came"}
_PASSWORDS = re.compile(r"^[^#\s][^:]*:(?:\d+|\*):[^:]*:[^:]*:.+$", re.MULTILINE)  # as .pgpass has them
_STRING = re.compile(
    r"^\s*(?:primary_conninfo|restore_command|archive_command|archive_cleanup_command|recovery_end_command"
    r"|primary_slot_name|(?:host|hostaddr|service)\s*=)\s*=?\s*['\"]?[^\s'\"#]"
    r"|^[^#\n]*postgres(?:ql)?://",
    re.MULTILINE | re.IGNORECASE,
)


def changes(before: Inventory, after: Inventory) -> list[str]:
    """Each file or object that is not as it was, in words; those that are gone or changed first."""
    gone = [f"{name} is gone" for name in before if name not in after]
    changed = [f"{name} was changed" for name, said in before.items() if name in after and after[name] != said]
    return [*sorted(gone), *sorted(changed), *sorted(f"{name} is new" for name in after if name not in before)]


def repository(before: Inventory | None, after: Inventory | None, *, read_only: str) -> Look:
    """`read_only`: how we are kept from writing it. None: nobody could list it."""
    name, expected = "the repository is as it was", "nothing of it was changed by us"

    def look(ok: bool | None, seen: str, figure: float | None = None) -> Look:
        return Look("original", name, ok, seen, text="an inventory before and after", expected=expected, figure=figure)

    if before is None or after is None:
        return look(None, "it could not be listed before and after")
    if not before:
        return look(None, "the inventory was empty before: nothing could have changed")
    found = changes(before, after)
    if not found:
        return look(True, f"{len(before)} files, each as it was", 0.0)
    seen = listed(found)
    if read_only:
        return look(True, f"{seen}: by others, for we cannot ({read_only})", float(len(found)))
    only_new = all(each.endswith(" is new") for each in found)
    rest = "nothing kept us from writing it, so nobody can say by whom" if only_new else "nothing kept us from it"
    return look(None if only_new else False, f"{seen}; {rest}", float(len(found)))


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


def out_of_reach(tries: Sequence[Mapping[str, str]]) -> list[Look]:
    """`tries`: as `restore.place` has them: address, and what became of a connection from inside."""
    if not tries:
        return [Look("original", "the original is out of reach", None, "no address of it is named: nothing was tried")]
    return [_tried(each["address"], each["became"].strip()) for each in tries]


def _tried(address: str, became: str) -> Look:
    """Of several addresses the worst counts."""
    said = [each.strip().lower() for each in became.split(";")]
    if answer := next((word for word in ANSWERS for each in said if word in each), ""):
        ok, seen = False, ANSWERS[answer]
    elif all(any(words in each for words in AWAY) for each in said):
        ok, seen = True, became
    else:
        ok, seen = None, f"{became or 'nothing was said'}: a firewall on the way may look like this, too"
    return Look("original", f"{address} is out of reach", ok, seen, f"a connection from inside to {address}",
                "no way there")  # fmt: skip  # words


def place(isolation: str, *, empty: bool) -> list[Look]:
    """The place, before anything came into it."""
    return [
        Look("place", "the place is kept from everything else", bool(isolation), isolation or "it is not",
             expected="no way out"),
        Look("place", "the place was empty", empty, "empty" if empty else "something was in it", expected="empty"),
    ]  # fmt: skip  # arguments in groups


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
