"""Base backups that pg_basebackup made: folders of a repository, plain or as tars, with or without their archive.

A repository is a folder, or a prefix in S3. Each folder of it that is a base backup is one, and so may be the
repository itself. Its archive, if there is one, is its sub-folder `wal` or `archive`: segments and histories under
their own names, plain or as `.gz`, in folders of their own or not.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO, cast

from harness.errors import DrillError, NotInTime, NotReady
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived, tars
from harness.restores.sources.base_backup_files import CONTROL, LONG_HEADER, Layout, control_system, layouts, piece
from harness.restores.sources.base_backup_kept import Reader
from harness.restores.sources.base_backup_made import Maker, own_spaces, thrown_away
from harness.restores.sources.storage import Stored, storage
from harness.stacks.parts.wal import history_of, is_segment, position
from harness.system import clock
from harness.system.command import Commands

ARCHIVES = ("wal/", "archive/")
WORKERS = 4


class BaseBackupFolders:
    """Fills `Source`."""

    tool = "pg_basebackup"  # each is restored by the programs of its own version, which its place has

    def __init__(
        self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]
    ) -> None:  # fmt: skip  # parameters in groups
        self._commands = commands
        self._storage = storage(backup, values)

    @property
    def read_only(self) -> str:
        return self._storage.read_only

    def inventory(self) -> Inventory:
        return self._storage.inventory()

    def catalogue(self) -> list[Kept]:
        return self._read(self._storage.files())

    def needs(self, kept: Kept) -> Needs:
        return Needs(tablespaces=[f"the one with the OID {oid}" for oid in kept.facts["spaces"].split()])

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """The base, then the archive; a point takes no less of it, for what lies behind it is looked at."""
        begin = clock.mono()

        def left() -> timedelta:
            rest = within - clock.since(begin)
            if rest <= timedelta():
                raise NotInTime(f"not restored within {within.total_seconds():g} s", hint="give it more time: `within`")
            return rest

        files = self._storage.files()
        maker = Maker(self._storage, self._commands, place, files, left)
        said = self._made(kept, files, place, maker)
        parts = [Part("restore", clock.since(begin), kept.size)]
        fetching, seen = clock.mono(), clock.now().utc
        archive = _archive(self._storage.files())
        wal, damaged = self._log(kept, place, archive, left)
        parts.append(Part("fetch", clock.since(fetching), sum(path.stat().st_size for path in wal.iterdir())))
        verifying = clock.mono()
        size, names = int(kept.facts["segment"]), {path.name for path in wal.iterdir()}
        _must_be_complete(kept, names, size)
        said += [*damaged, *_wrong(wal, place.data, size)]
        said += maker.verified(place.data, wal)
        parts.append(Part("verify", clock.since(verifying), kept.size))
        (place.data / "tablespace_map").unlink(missing_ok=True)  # by it a server makes links to where they were
        first, histories = kept.facts["first"], archived.histories(wal)
        path, gaps = archived.along(names | {*archive}, first=first, size=size, histories=histories)
        return Brought(parts, [*said, *gaps], wal, path[-1] if path else "", seen)

    def _read(self, files: Mapping[str, Stored]) -> list[Kept]:
        if not files:
            raise NotReady(f"{self._storage.said} has no file", hint="look at `repository`: is it the right one?")
        reader = Reader(self._storage, self._commands, _archive(files))
        found = [reader.kept(layout) for layout in _layouts(files)]
        return sorted((_with_parents(kept, found) for kept in found), key=lambda kept: (kept.ended, kept.id))

    def _made(self, kept: Kept, files: Mapping[str, Stored], place: Place, maker: Maker) -> list[str]:
        """Fill `place.data`, and say what was wrong. Errors: `DrillError`."""
        there = {layout.id: layout for layout in _layouts(files)}
        if kept.id not in there:
            raise NotReady(f"{self._storage.said} has no backup {kept.id} any more", hint="ask for the newest one")
        if not kept.facts["first"]:
            raise DrillError(f"base backup {kept.id}: {kept.sound}", hint="without its label nobody recovers it")
        spaces = place.folder / "tablespaces"
        if not kept.facts["after"]:
            return maker.fill(there[kept.id], place.data, spaces)
        said: list[str] = []
        staged = place.folder / "combined"
        staged.mkdir(mode=0o700)
        chain = _chain(kept, self._read(files))
        folders = [staged / str(number) for number, _ in enumerate(chain)]
        for folder, each in zip(folders, chain, strict=True):
            said += maker.fill(there[each.id], folder, staged / f"{folder.name}-tablespaces")
            said += maker.verified(folder, None)
        spaces.mkdir(mode=0o700)
        said += maker.combined(folders, own_spaces(folders[-1], spaces))
        thrown_away(staged)
        return said

    def _log(
        self, kept: Kept, place: Place, archive: Mapping[str, str], left: Callable[[], timedelta]
    ) -> tuple[Path, list[str]]:
        """A folder with what the backup has of the log, and what the archive has; where both have one, the archive's:
        the last one of a backup may end before it is full."""
        wal = place.folder / "wal"
        wal.mkdir(mode=0o700)
        for path in [*(place.data / "pg_wal").iterdir()]:
            if path.is_file() and not path.is_symlink() and (is_segment(path.name) or history_of(path.name)):
                path.rename(wal / path.name)

        def one(name: str) -> None:
            left()
            (wal / name).unlink(missing_ok=True)
            with self._storage.open(archive[name]) as source:
                packed = archive[name].endswith(".gz")
                tars.write(cast(IO[bytes], gzip.GzipFile(fileobj=source)) if packed else source, wal / name)

        def told(name: str) -> str:
            try:
                one(name)
            except tars.BROKEN as error:
                (wal / name).unlink()
                return f"{name} of the archive is damaged: {error}"
            return ""

        with ThreadPoolExecutor(WORKERS) as pool:
            said = [*filter(None, pool.map(told, archived.wanted(archive, first=kept.facts["first"])))]
        return wal, said


def _archive(files: Iterable[str]) -> dict[str, str]:
    """Segments and histories of the archive, to the names of their files."""
    found = {}
    for name in sorted(files):
        if name.startswith(ARCHIVES):
            plain = name.rpartition("/")[2].removesuffix(".gz")
            if is_segment(plain) or history_of(plain):
                found[plain] = name
    return found


def _layouts(files: Mapping[str, Stored]) -> list[Layout]:
    return layouts({name: one.size for name, one in files.items()}, archive=ARCHIVES)


def _with_parents(kept: Kept, all_of_them: Sequence[Kept]) -> Kept:
    """An incremental one takes as much as all that it goes with, at most; one of these that is missing is named."""
    if not kept.facts["after"]:
        return kept
    try:
        return replace(kept, size=sum(each.size for each in _chain(kept, all_of_them)))
    except DrillError as error:
        return replace(kept, sound="; ".join(filter(None, (kept.sound, error.message))))


def _chain(kept: Kept, all_of_them: Iterable[Kept]) -> list[Kept]:
    """A full backup, and all that follow on it up to this one. Errors: `DrillError` where one of them is not there."""
    by_start = {(each.system, each.facts["start"]): each for each in all_of_them}
    chain = [kept]
    while after := chain[0].facts["after"]:
        before = by_start.get((kept.system, after))
        if before is None or before in chain:
            raise DrillError(
                f"base backup {kept.id} is incremental, and the one before it, which begins at {after}, is not there",
                hint="keep the backups that it goes with in the same repository",
            )
        chain.insert(0, before)
    return chain


def _must_be_complete(kept: Kept, names: Iterable[str], size: int) -> None:
    first, stop = kept.facts["first"], kept.facts["stop"]
    last = archived.named(archived.timeline(first), (position(stop) - 1) // size, size) if stop else first
    if lacking := archived.lacking({*names}, start=first, stop=last, size=size):
        raise DrillError(
            f"base backup {kept.id} is without its write-ahead log: {archived.some(lacking)} neither in it nor in the "
            "archive beside it",
            hint="take it with --wal-method=stream, or keep its archive as `wal` in the repository",
        )


def _wrong(wal: Path, data: Path, size: int) -> list[str]:
    """What is wrong with segments by their own words: whose they are, where they belong, and that they are whole."""
    with (data / CONTROL).open("rb") as file:
        system = control_system(file.read(8))
    said = []
    for path in sorted(path for path in wal.iterdir() if is_segment(path.name)):
        with path.open("rb") as file:
            begins = piece(file.read(LONG_HEADER.size))
        if begins is None or begins.begin != archived.number(path.name, size) * size:
            said.append(f"{path.name} of the log is damaged: it does not begin as it should")
        elif begins.system != system:
            said.append(f"{path.name} of the log is of the system {begins.system}, the backup of {system}")
        elif path.stat().st_size != size:
            said.append(f"{path.name} of the log is not whole: {path.stat().st_size} bytes of {size}")
    return said
