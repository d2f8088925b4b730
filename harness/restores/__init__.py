"""Restore beside: a backup is restored into an empty place, what is in it is proved, and the place is removed.

Nothing of the platform is hurt, and its repository is only read. Here are the words that all parts share:

    sources/   one file a backup tool: what its catalogue has, and how one backup of it becomes files or a dump
    programs/  where programs come from (this machine, an image), and the empty place that they make
    proof/     what is looked at in the restored database
    one.py     one restore from choice to removal;  many.py  those of all databases, some at a time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.system.command import Done

Inventory = Mapping[str, str]  # each file or object of a repository, to its size and what tells that it was changed


@dataclass(frozen=True)
class Kept:
    """One backup, as its tool's catalogue has it: never by a file's own time, which a copy makes new."""

    id: str
    ended: datetime | None  # what it holds is from then, or earlier; None: nothing in it says when, and it comes first
    version: int  # of PostgreSQL, the major one
    form: Literal["files", "dump"]
    size: int  # bytes that it takes once it is restored, as far as the catalogue says
    stored: int  # bytes in the repository
    digest: str = ""  # SHA-256, in hex
    digest_of: str = ""  # of what: "the catalogue's entry", "the file", "the manifest"
    began: datetime | None = None
    kind: str = "full"  # or differential, incremental
    system: str = ""  # the identifier of the system that it is of; empty where a backup has none, as a dump
    database: str = ""  # of a dump: the one database in it
    sound: str = ""  # what the catalogue itself has against it; empty: nothing
    facts: Mapping[str, str] = field(default_factory=dict)  # what the source needs to find it again


@dataclass(frozen=True)
class Needs:
    """What a backup takes of the place, known before it is restored; None: cannot be known before."""

    extensions: Sequence[str] | None = None
    roles: Sequence[str] | None = None  # that it names and does not bring
    collations: Sequence[str] | None = None
    tablespaces: Sequence[str] | None = None
    settings: Mapping[str, str] | None = None  # without which it does not start, such as max_connections


@dataclass(frozen=True)
class Point:
    """How far to recover; with nothing given, to the end of the archive."""

    time: datetime | None = None
    lsn: str = ""
    xid: str = ""
    name: str = ""

    @property
    def given(self) -> bool:
        return bool(self.time or self.lsn or self.xid or self.name)

    @property
    def settings(self) -> dict[str, str]:
        """For postgresql.conf."""
        if self.time:
            return {"recovery_target_time": self.time.isoformat(sep=" ")}
        named = {"lsn": self.lsn, "xid": self.xid, "name": self.name}
        return {f"recovery_target_{word}": value for word, value in named.items() if value}

    @property
    def said(self) -> str:
        """`"the time 2026-11-30 10:00:00+00:00"`; `"the end of the archive"`."""
        for word, value in (("time", self.time), ("position", self.lsn), ("transaction", self.xid)):
            if value:
                return f"the {word} {value}"
        return f"the restore point {self.name}" if self.name else "the end of the archive"


@dataclass(frozen=True)
class Part:
    """What took how long: `name` is fetch (it is brought here), restore (it becomes a database), replay or verify."""

    name: Literal["fetch", "restore", "replay", "verify"]
    length: timedelta
    bytes: int = 0


@dataclass(frozen=True)
class Brought:
    """What a source did. `wal`: the folder with all pieces of the archive, plain, by their names; None: none is needed.
    `said`: every line of the tools in which something was skipped, ignored or wrong, though they may have ended well.
    """

    parts: Sequence[Part]
    said: Sequence[str] = ()
    wal: Path | None = None
    archive_end: str = ""  # the name of the last piece of the archive that was there
    archive_seen: datetime | None = None  # when it was: what is behind is counted from then
    digest: str = ""  # SHA-256, in hex, of the bytes that were brought, where a catalogue has none of them
    digest_of: str = ""  # of what: as that of `Kept`


@dataclass(frozen=True)
class Look:
    """One look at what was restored. `text` is what was asked, `seen` a figure or words: never a row of the data.

    `ok` None: it could not be looked at, or nothing says what is right.
    """

    about: Literal["log", "pages", "structure", "rows", "identity", "point", "place", "original"]
    name: str
    ok: bool | None
    seen: str
    text: str = ""
    expected: str = ""
    figure: float | None = None


class Programs(Protocol):
    """Where programs come from: this machine, or an image."""

    @property
    def said(self) -> str:
        """`"this machine"`, `"the image postgres:18"`."""

    @property
    def read_only(self) -> str:
        """How `reads` of `words` are kept from being written; empty where nothing keeps them."""

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        """The words that run it, to which its own are added. `version`: it is PostgreSQL's, of this major version.
        `reads` cannot be written by it; paths are the same inside. Without `network` it reaches nothing.

        Errors: `Unable` where there is none, with what installs it.
        """

    def place(self, folder: Path, version: int, *, isolated: bool = True) -> Place:
        """An empty place of a PostgreSQL of that major version; one that is not isolated is a sabotage twin's.

        Errors: `Unable` where it cannot be had.
        """


class Place(Protocol):
    """A PostgreSQL server of its own for one restore, that reaches nothing and is reached by a socket file alone.

    Its own settings lie beside `data`: no setting of the original counts, its archive command least of all.
    """

    folder: Path  # all of it lies in here, and goes with it
    data: Path  # the data directory; empty at first
    version: int

    @property
    def log(self) -> Path:
        """What the server says."""

    @property
    def isolation(self) -> str:
        """How it is kept from everything else: `"a network of its own, without a way out"`; empty where it is not."""

    def run(
        self, program: str, *words: str, within: timedelta, env: Mapping[str, str] | None = None, check: bool = True,
        stdin: Path | None = None, quiet: bool = False,
    ) -> Done:  # fmt: skip  # parameters in groups
        """Run a program of PostgreSQL inside; what connects finds the server by itself. `quiet`: it is not recorded,
        since values of rows may be in its words. Errors: `CommandFailed`.
        """

    def initialise(self, *words: str) -> None:
        """Make an empty cluster in `data`, for a dump: `words` for initdb. Errors: `CommandFailed`."""

    def start(self, settings: Mapping[str, str], *, recovery: bool = False) -> None:
        """Begin the server; with `recovery` it recovers from a backup first. It need not answer yet."""

    def running(self) -> bool:
        """Whether its process is there."""

    def connect(self, database: str = "postgres") -> Any:
        """A psycopg connection as superuser, autocommit. Errors: `psycopg.Error`."""

    def stop(self) -> None:
        """End the server cleanly, so that its pages can be looked at. Harmless where it is ended."""

    def reach(self, address: str) -> str:
        """From inside, what becomes of a connection to host:port: `taken`, `refused`, or the system's words."""

    def remove(self) -> str:
        """End all of it and remove the folder; what of it is left, in words, empty where nothing is. Harmless again."""


class Source(Protocol):
    """The backups of one database in one repository, by one tool."""

    @property
    def tool(self) -> str:
        """Its name and version, such as `"pgBackRest 2.45"`. Errors: `Unable` where it is not there."""

    @property
    def read_only(self) -> str:
        """How the repository is kept from being written by us; empty where nothing does but that we do not."""

    def catalogue(self) -> list[Kept]:
        """Oldest first. Errors: `NotReady` where the repository cannot be read: that is not an empty one."""

    def inventory(self) -> Inventory:
        """Of the whole repository, as it is now. Errors: as `catalogue`."""

    def needs(self, kept: Kept) -> Needs:
        """What it takes, as far as that can be known from the repository. Errors: as `catalogue`."""

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """Of `files`: fill `place.data`, and the archive from the backup on into a folder of the place.
        Of a `dump`: load it into the place, which runs. Errors: `DrillError`; its message says what the tool said.
        """
