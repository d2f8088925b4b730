"""Restores beside without a backup tool and without PostgreSQL: a source, programs, places and a proof, made up.

`Told` says in which order they were asked; each does what it is told, or fails as it is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.restores import Brought, Inventory, Kept, Look, Needs, Part, Place, Point, many, one
from harness.restores.described import NEVER, Backup, Backups
from harness.restores.programs.left import MARK
from harness.system.command import Done
from harness.system.recorder import Memory

ENDED = datetime(2026, 11, 29, 3, tzinfo=UTC)
ORIGINAL = "db.example:5432"
NO_WAY = "Network is unreachable"
NEWEST = one.Asked()
ROWS = Look("rows", "orders", True, "7", "SELECT count(*) FROM orders", "at least 5")


def kept(id: str = "b1", *, days: int = 0, **more: Any) -> Kept:
    """`days`: so much later than the first."""
    ended = ENDED + timedelta(days=days)
    facts: dict[str, Any] = {"version": 15, "form": "files", "size": 5_000, "stored": 900, "system": "71"}
    return Kept(id=id, ended=ended, **(facts | more))


def backup(name: str = "orders", **more: Any) -> Backup:
    return Backup(name, more.pop("tool", "pgbackrest"), repository=Path("/srv/backups"), **more)


def backups(*names: str, **more: Any) -> Backups:
    given: dict[str, Any] = {
        "at_once": 1, "within": timedelta(hours=1), "room": None, "folder": None, "image": "", "keep": NEVER,
    }  # fmt: skip  # a table
    return Backups({name: backup(name) for name in names or ("orders",)}, **(given | more))


class Told(list[str]):
    """What was asked, in order; `fails`: what goes wrong, by what is asked; `meanwhile`: done before it."""

    def __init__(self) -> None:
        self.fails: dict[str, BaseException] = {}
        self.meanwhile: dict[str, Callable[[], object]] = {}

    def asked(self, what: str) -> None:
        self.append(what)
        self.meanwhile.get(what, lambda: None)()
        if what in self.fails:
            raise self.fails[what]


class Cursor:
    """Whatever is asked has this answer."""

    def __init__(self, *rows: Sequence[object]) -> None:
        self.rows = rows

    def fetchone(self) -> Sequence[object] | None:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[Sequence[object]]:
        return [*self.rows]


class Connection:
    """Of a place, whose `answers` are rows by a part of the query."""

    def __init__(self, place: FakePlace, database: str) -> None:
        self.place, self.database = place, database

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: Any, given: Sequence[object] = ()) -> Cursor:
        said = query.decode() if isinstance(query, bytes) else str(query)
        self.place.queries.append((self.database, said))
        found = next((rows for part, rows in self.place.answers.items() if part in said), ())
        return Cursor(*found)


class FakePlace:
    """Fills `Place`: a folder with a file in it, whose server answers as soon as it was started."""

    isolation = "a network of its own, without a way out"

    def __init__(self, folder: Path, version: int, told: Told, *, isolated: bool = True) -> None:
        self.folder, self.version, self.told = folder, version, told
        self.isolation = FakePlace.isolation if isolated else ""
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        (folder / MARK).write_text("{}")
        self.answers: dict[str, Sequence[Sequence[object]]] = {"pg_is_in_recovery": [(True,)]}
        self.queries: list[tuple[str, str]] = []
        self.settings: dict[str, str] = {}
        self.left = ""
        self.up = False
        self.dies = False  # as soon as it is started

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def run(
        self, program: str, *words: str, within: timedelta, env: Mapping[str, str] | None = None, check: bool = True,
        stdin: Path | None = None,
    ) -> Done:  # fmt: skip  # parameters in groups
        self.told.asked(program)
        return Done(argv=(program, *words), exit=0, out="", err="", length=timedelta(0))

    def initialise(self, *words: str) -> None:
        self.told.asked("initialise")

    def start(self, settings: Mapping[str, str], *, recovery: bool = False) -> None:
        self.told.asked("recover" if recovery else "start")
        self.settings, self.up = dict(settings), True

    def running(self) -> bool:
        return self.up and not self.dies

    def connect(self, database: str = "postgres") -> Any:
        return Connection(self, database)

    def stop(self) -> None:
        self.told.asked("stop")
        self.up = False

    def reach(self, address: str) -> str:
        return NO_WAY

    def remove(self) -> str:
        self.told.append("remove")
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.left


class FakePrograms:
    """Fills `Programs`. `places`: all that were made."""

    said = "this machine"
    read_only = "a read-only mount"

    def __init__(self, told: Told) -> None:
        self.told = told
        self.places: list[FakePlace] = []

    def words(
        self, program: str, *, version: int = 0, reads: Sequence[Path] = (), writes: Sequence[Path] = (),
        network: bool = False,
    ) -> list[str]:  # fmt: skip  # parameters in groups
        return [program]

    def place(self, folder: Path, version: int, *, isolated: bool = True) -> Place:
        self.told.asked("place")
        self.places.append(FakePlace(folder, version, self.told, isolated=isolated))
        return self.places[-1]


class FakeSource:
    """Fills `Source`. `has`: its catalogue; `listed`: what each look sees, the last one again and again."""

    tool = "pgBackRest 2.45"
    read_only = "a read-only mount"

    def __init__(self, told: Told, *catalogue: Kept) -> None:
        self.told = told
        self.has = [*catalogue]
        self.listed: list[Inventory] = [{"b1/data": "5000 2026"}]
        self.said: list[str] = []
        self.bytes = 5_000
        self.needed = Needs()

    def catalogue(self) -> list[Kept]:
        self.told.asked("catalogue")
        return self.has

    def inventory(self) -> Inventory:
        self.told.asked("inventory")
        return self.listed.pop(0) if len(self.listed) > 1 else self.listed[0]

    def needs(self, kept: Kept) -> Needs:
        self.told.asked("needs")
        return self.needed

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        self.told.asked("bring")
        (place.data / "table").write_bytes(b"x" * self.bytes)
        wal = place.folder / "wal"
        wal.mkdir()
        (wal / "000000010000000000000001").write_bytes(b"w" * 100)
        parts = [Part("fetch", timedelta(seconds=1), 900), Part("restore", timedelta(seconds=2), 5_000)]
        return Brought(parts, self.said, wal, archive_end="000000010000000000000001", digest="ab", digest_of="the file")


class FakeProof:
    """In the stead of `harness.restores.proof.whole.Proof`. `found`: its looks, the same for every restore."""

    found: Sequence[Look] = (ROWS,)
    told: Told
    names = ("app",)
    archive_mode = "off"
    strings_left: Sequence[str] = ()

    def __init__(self, backup: Backup, place: Place, kept: Kept, *, within: Callable[[], timedelta]) -> None:
        self.place = place

    def look_at_control(self) -> None:
        self.told.asked("control")

    def reached(self, point: Point, *, archive_end: str) -> dict[str, Any]:
        return {"point": point.said, "ordered": point.settings, "archive_end": archive_end}

    def looks(
        self, said: Sequence[str], *, project: Any = None, last: Callable[[], None] = lambda: None
    ) -> Iterator[Look]:
        self.told.asked("prove")
        yield from self.found
        last()

    def heartbeat(self, now: datetime) -> dict[str, Any] | None:
        return {"number": 7, "now": now.isoformat()}


class Restoring:
    """A run's restores, all made up: `told`, `source` and `programs` say what went on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.told = Told()
        self.source = FakeSource(self.told, kept())
        self.programs = FakePrograms(self.told)
        self.sources: dict[str, FakeSource | BaseException] = {}  # of some databases
        self.recorder = Memory()
        self.folder = folder
        self.proof = type("ThisProof", (FakeProof,), {"told": self.told})
        monkeypatch.setattr(one, "Proof", self.proof)
        monkeypatch.setattr(one, "canary", _no_door)
        monkeypatch.setattr(many, "programs", lambda said, commands: self.programs)
        monkeypatch.setattr(many, "source", self._source)

    def _source(self, backup: Backup, **_: Any) -> FakeSource:
        found = self.sources.get(backup.name, self.source)
        if isinstance(found, BaseException):
            raise found
        return found

    def of(self, said: Backups, **more: Any) -> many.Restores:
        return many.Restores(
            said, names=list(said.databases), values={}, label="r1", folder=self.folder / "r1.unfinished" / "stack",
            kept=self.folder / "kept-places" / "r1", recorder=self.recorder, **more,
        )  # fmt: skip  # arguments in groups

    def carry_out(self, said: Backups | None = None, *, asked: one.Asked = NEWEST, **more: Any) -> dict[str, Any]:
        """The end of the first database."""
        said = said or backups()
        self.of(said, **more).carry_out(asked, seed="nonce scenario")
        return self.ends()[next(iter(said.databases))]

    def ends(self) -> dict[str, dict[str, Any]]:
        return {data["database"]: data for data in self.lines("restore.end")}

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [data for found, data in self.recorder.facts if found == kind]

    @property
    def left(self) -> list[Path]:
        """What there is of places, but for those that are kept."""
        return [each.folder for each in self.programs.places if each.folder.exists()]


@contextmanager
def _no_door() -> Iterator[str]:
    yield ""


def broken_server() -> psycopg.Error:
    """As psycopg raises it where the server is gone."""
    return psycopg.OperationalError("server closed the connection unexpectedly")
