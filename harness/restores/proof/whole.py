"""All that is looked at in one restored database, in the order in which it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from harness.errors import DrillError
from harness.restores import Kept, Look, Place, Point
from harness.restores.described import Backup
from harness.restores.proof import original as untouched
from harness.restores.proof import why
from harness.restores.proof.entries import entries
from harness.restores.proof.heartbeat import Beats, heartbeat
from harness.restores.proof.identity import Control, control, looks_at_dump, looks_at_files
from harness.restores.proof.log import looks_at_log
from harness.restores.proof.pages import amcheck, checksums
from harness.restores.proof.reached import Reached, looks_at_point, reached
from harness.restores.proof.rows import books, rows
from harness.restores.proof.structure import databases, structure


class Proof:
    """Of one place. `within` says how much time is left, and raises where there is none."""

    def __init__(self, backup: Backup, place: Place, kept: Kept, *, within: Callable[[], timedelta]) -> None:
        self._backup = backup
        self._place = place
        self._kept = kept
        self._within = within
        self._control: Control | DrillError | None = None
        self._reached: Reached | None = None
        self._point, self._archive_end = Point(), ""
        self._beats: Beats | None = None
        self._names: list[str] = []
        self._first: Look | None = None
        self.archive_mode = ""
        self.strings_left: list[str] | None = None

    def look_at_control(self) -> None:
        """As it was brought, before a server changes it."""
        try:
            self._control = control(self._place)
        except DrillError as error:
            self._control = error

    def reached(self, point: Point, *, archive_end: str) -> dict[str, Any]:
        """The data of `restore.reached`."""
        self._point, self._archive_end = point, archive_end
        self._reached = reached(self._log(), self._place.connect)
        return self._reached.line(point, archive_end)

    @property
    def names(self) -> list[str]:
        """Of the databases that are looked at, once the server runs."""
        if self._first is None:
            self._names, self._first = databases(self._place.connect, self._backup.names)
        return self._names

    def looks(
        self, said: Sequence[str], *, project: Any = None, last: Callable[[], None] = lambda: None
    ) -> Iterator[Look]:
        """`said`: by the tools; `project`: its books; `last`: what else is done before the server is stopped, after
        which its pages and its whole log are read."""
        names, connect = self.names, self._place.connect
        first = names[0] if names else "postgres"
        yield from self._identity(names)
        assert self._first is not None
        yield self._first
        yield untouched.disable_subscriptions(connect, names)
        yield from structure(
            connect, names, named=bool(self._backup.names), roles=self._backup.roles,
            extensions=self._backup.extensions,
        )  # fmt: skip  # arguments in groups
        yield from self._rows(first, project)
        if self._reached is not None:
            yield from looks_at_point(
                self._reached, self._point, archive_end=self._archive_end, beats=self._beats
            )  # by the heartbeat too, which has been read
        yield from amcheck(connect, names, within=self._within())
        yield from entries(connect, names, within=self._within())
        self.archive_mode, archiving = untouched.archiving(connect)
        self.strings_left, strings = untouched.strings_left(connect)
        yield from (archiving, strings)
        last()
        self._place.stop()
        yield checksums(self._place, within=self._within())
        yield from looks_at_log(said, self._log())

    def heartbeat(self, now: datetime) -> dict[str, Any] | None:
        """The data of `restore.heartbeat`; None where it could not be read, which is a look of its own."""
        return self._beats.line(now) if self._beats else None

    def _identity(self, names: Sequence[str]) -> list[Look]:
        if self._kept.form == "files":
            assert self._control is not None
            return looks_at_files(self._control, self._backup, self._kept)
        return looks_at_dump(names, self._place.version, self._backup, self._kept)

    def _rows(self, first: str, project: Any) -> Iterator[Look]:
        expected, where = [*self._backup.checks], self._backup.books
        if expected or not where:
            yield from rows(self._place.connect, expected, first=first)
        if where and project is not None:
            yield from books(self._place.connect, project, database=where)
        elif where:
            yield Look("rows", "books", None, "the project has none", expected="they agree")
        if given := self._backup.heartbeat:
            self._beats, looks = heartbeat(self._place.connect, given, first=first, point=self._point.time)
            yield from looks

    def _log(self) -> str:
        return self._place.log.read_text(encoding="utf-8", errors="replace") if self._place.log.exists() else ""


def words_of(error: psycopg.Error) -> str:
    """For an end: what the server said, without a value of a row."""
    return f"the restored database: {why(error)}"
