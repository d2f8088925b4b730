"""Whose backup it is, and of when: by the control file that it brought, before the server changes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.errors import DrillError
from harness.restores import Kept, Look, Place
from harness.restores.described import Backup

EARLIER = timedelta(hours=1)  # a backup of a standby begins at the last checkpoint that its leader told it of
LATER = timedelta(minutes=5)  # of two clocks
SHORT = timedelta(minutes=1)
_LINE = re.compile(r"^([^:]+):\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Control:
    """What a control file says. `version`: the major one, of the data directory; 0 where it is not known."""

    system: str
    state: str
    checkpoint: datetime | None
    timeline: int
    checksums: bool
    version: int


def control(place: Place, *, within: timedelta = SHORT) -> Control:
    """Of the data directory as it is now. Errors: `CommandFailed` where there is none."""
    done = place.run("pg_controldata", "--pgdata", str(place.data), within=within, env={"LC_ALL": "C", "TZ": "UTC"})
    return read(done.out, version=_version(place))


def _version(place: Place) -> int:
    with suppress(OSError, ValueError):
        return int((place.data / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
    return 0


def read(out: str, *, version: int = 0) -> Control:
    """`out`: of pg_controldata, in C and UTC."""
    said = {name.strip(): value.strip() for name, value in _LINE.findall(out)}
    when = None
    with suppress(ValueError):
        when = datetime.strptime(said.get("Time of latest checkpoint", ""), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return Control(
        system=said.get("Database system identifier", ""),
        state=said.get("Database cluster state", ""),
        checkpoint=when,
        timeline=int(said.get("Latest checkpoint's TimeLineID", "0")),
        checksums=said.get("Data page checksum version", "0") != "0",
        version=version,
    )


def looks_at_files(found: Control | DrillError, backup: Backup, kept: Kept) -> list[Look]:
    """Of a backup of files, by what it brought; an error: there was no control file to be read."""
    if isinstance(found, DrillError):
        return [_look("whose it is", None, found.message.splitlines()[0])]
    looks = [_named(found, backup)]
    if kept.system:
        same = found.system == kept.system
        looks.append(_look("whose the catalogue says it is", same, f"of system {found.system}", kept.system))
    if found.version:
        looks.append(_version_look(found.version, kept))
    return [*looks, _time(found, kept)]


def _named(found: Control, backup: Backup) -> Look:
    name, seen = "whose it is", f"of system {found.system}"
    if not backup.system:
        return _look(name, None, f"{seen}; nothing says which it has to be of")
    return _look(name, found.system == backup.system, seen, backup.system)


def _version_look(version: int, kept: Kept) -> Look:
    return _look("its version", version == kept.version, f"PostgreSQL {version}", f"PostgreSQL {kept.version}")


def _time(found: Control, kept: Kept) -> Look:
    """An old backup under a fresh entry has an old checkpoint: a backup begins with one."""
    name = "when it was taken"
    if found.checkpoint is None:
        return _look(name, None, "the control file has no time that can be read")
    seen = f"its last checkpoint is of {found.checkpoint.isoformat()}"
    if kept.ended is None:
        return _look(name, None, f"{seen}; the catalogue does not say when it ended")
    begin = kept.began or kept.ended
    expected = f"from {begin.isoformat()} to {kept.ended.isoformat()}, as the catalogue has it"
    early, late = begin - found.checkpoint, found.checkpoint - kept.ended
    if late > LATER or (kept.began and early > EARLIER):
        return _look(name, False, seen, expected)
    if not kept.began and early > timedelta(days=1):  # nobody says how long it took
        return _look(name, None, f"{seen}, {early.days} days before its end; nothing says when it began", expected)
    return _look(name, True, seen, expected)


def looks_at_dump(there: Sequence[str], version: int, backup: Backup, kept: Kept) -> list[Look]:
    """Of a dump, which has no identifier: by the name of its database. `there`: the databases of the place."""
    looks = [_version_look(version, kept)]
    if backup.system:
        looks.append(_look("whose it is", None, "a dump has no identifier of its system", backup.system))
    if not kept.database:
        looks.append(_look("its database", None, "the catalogue names none"))
    else:
        here = kept.database in there
        looks.append(_look("its database", here, ", ".join(there) or "none", kept.database))
    return looks


def _look(name: str, ok: bool | None, seen: str, expected: str = "") -> Look:
    return Look("identity", name, ok, seen, text="pg_controldata" if "database" not in name else "", expected=expected)
