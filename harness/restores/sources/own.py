"""Backups by commands of the owner: `list` says which there are, `fetch` brings one, `wal` the archive since.

They run on this machine as they stand in the stack file, with `${id}`, `${into}` and `${secret:NAME}` filled in. Each
has to exit with 0. What they bring is looked at as what any tool brings.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources.dump import loaded
from harness.restores.sources.dump_files import is_globals, sha256_of_all
from harness.restores.sources.load import MAKE_ANEW, TOC, Time, room
from harness.stacks.attached.file.formats import filled
from harness.system import clock
from harness.system.command import CommandFailed, Commands

LOOK = timedelta(minutes=5)
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@=+/-]*")
SEGMENT = re.compile(r"[0-9A-F]{24}")
HEX = re.compile(r"[0-9a-f]{64}")
WANTED = (
    'print a JSON list, such as [{"id": "b1", "ended": "2026-11-30T10:00:00+00:00", "version": 18, "form": "files", '
    '"size": 1000}]; besides may be said: began, kind, stored, digest, system, database'
)
REQUIRED = {"id": str, "ended": str, "version": int, "form": str, "size": int}
MORE = {"began": str, "kind": str, "stored": int, "digest": str, "system": str, "database": str}


class OwnCommands:
    """Fills `Source`."""

    tool = "the owner's commands"
    read_only = ""  # nothing is known of what they do

    def __init__(self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]) -> None:
        self._backup = backup
        self._commands = commands
        self._values = values

    def catalogue(self) -> list[Kept]:
        """Errors: `NotReady` where `list` fails, or does not print a list of backups."""
        said = self._look("list")
        try:
            found = json.loads(said)
        except ValueError as error:
            raise NotReady(f"{self._name('list')} does not print JSON: {error}", hint=WANTED) from None
        if not isinstance(found, list):
            raise NotReady(f"{self._name('list')} prints no list, but a {type(found).__name__}", hint=WANTED)
        kept = []
        for number, each in enumerate(found, 1):
            try:
                kept.append(as_kept(each))
            except ValueError as error:
                raise NotReady(f"{self._name('list')}: backup {number}: {error}", hint=WANTED) from None
        if twice := {each.id for each in kept if sum(one.id == each.id for one in kept) > 1}:
            raise NotReady(f"{self._name('list')}: two backups are called {min(twice)}", hint="each id is of one")
        return sorted(kept, key=lambda each: (each.ended, each.id))

    def inventory(self) -> Inventory:
        """Errors: `Unable` where there is no command for it."""
        if "inventory" not in self._backup.commands:
            raise Unable(
                f"{self._backup.name} has no command `inventory`: nobody can say that the repository stayed as it was",
                hint="add one: it prints a line for each file, with its size and date",
            )
        return {line: "" for line in self._look("inventory").splitlines() if line.strip()}

    def needs(self, kept: Kept) -> Needs:
        return Needs()

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """Errors: `CommandFailed` where a command does; `DrillError` where it brought something else than was said."""
        time = Time(within)
        with room(place.folder):
            return self._dump(kept, place, point, time) if kept.form == "dump" else self._files(kept, place, time)

    def _files(self, kept: Kept, place: Place, time: Time) -> Brought:
        begin = clock.mono()
        self._do("fetch", kept, place.data, time)
        version = place.data / "PG_VERSION"
        if not version.is_file():
            raise DrillError(f"{self._name('fetch')} brought no data directory: there is no PG_VERSION", hint=MAKE_ANEW)
        if (found := version.read_text().strip()) != str(kept.version):
            raise DrillError(f"{kept.id} is of PostgreSQL {found}, and was listed as {kept.version}", hint=WANTED)
        size, archive, end = _size(place.data), None, ""
        if "wal" in self._backup.commands:
            archive = place.folder / "wal"
            archive.mkdir()
            self._do("wal", kept, archive, time)
            end = max((path.name for path in archive.iterdir() if SEGMENT.fullmatch(path.name)), default="")
            if not end:
                raise DrillError(f"{self._name('wal')} brought no piece of the archive", hint="it takes ${into}")
            size += _size(archive)
        return Brought([Part("fetch", clock.since(begin), size)], wal=archive, archive_end=end)

    def _dump(self, kept: Kept, place: Place, point: Point, time: Time) -> Brought:
        if point.given:
            raise Refused(f"a dump is of one moment, and not of {point.said}", hint="take a backup of files for that")
        folder = place.folder / "dump"
        into = folder / PurePosixPath(kept.id).name
        into.mkdir(parents=True)
        try:
            begin = clock.mono()
            self._do("fetch", kept, into, time)
            path, beside = self._one(into)
            digest = sha256_of_all(path)
            if kept.digest and kept.digest != digest:
                raise DrillError(f"{kept.id} has the SHA-256 {digest}, and was listed with another", hint=MAKE_ANEW)
            fetched = Part("fetch", clock.since(begin), _size(into))
            restored, said = loaded(path, beside, place, self._backup, commands=self._commands, time=time)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Brought([fetched, restored], said, digest=digest, digest_of="what `fetch` brought")

    def _one(self, into: Path) -> tuple[Path, Path | None]:
        """The dump, and the globals beside it. Errors: `DrillError` where it is not one."""
        if (into / TOC).is_file():
            return into, None
        beside = [path for path in into.iterdir() if is_globals(path.name)]
        dumps = [path for path in into.iterdir() if path not in beside]
        if len(dumps) != 1:
            raise DrillError(
                f"{self._name('fetch')} brought {len(dumps)} dumps", hint="one file or folder belongs into ${into}"
            )
        return dumps[0], beside[0] if beside else None

    def _look(self, word: str) -> str:
        """What a command prints. Errors: `NotReady`."""
        words = [filled(each, dict(self._values)) for each in self._backup.commands[word]]
        try:
            return self._commands.run(words, within=LOOK).out
        except CommandFailed as error:
            raise NotReady(
                f"{self._name(word)}: {error.message}", hint="run it by hand: it has to exit with 0"
            ) from None

    def _do(self, word: str, kept: Kept, into: Path, time: Time) -> None:
        values = {**self._values, "id": kept.id, "into": str(into)}
        words = [filled(each, values) for each in self._backup.commands[word]]
        self._commands.run(words, within=time.left, hint=f"run {self._name(word)} by hand: it has to exit with 0")

    def _name(self, word: str) -> str:
        return f"the command `{word}` of {self._backup.name}"


def as_kept(given: Any) -> Kept:
    """One backup of the list. Errors: `ValueError`, which says what is wrong with it."""
    if not isinstance(given, dict):
        raise ValueError(f"is no object, but a {type(given).__name__}")
    if alien := sorted(set(given) - {*REQUIRED, *MORE}):
        raise ValueError(f"{alien[0]} is not known")
    for name, kind in {**REQUIRED, **MORE}.items():
        if name not in given:
            if name in REQUIRED:
                raise ValueError(f"{name} is missing")
        elif not isinstance(given[name], kind) or isinstance(given[name], bool):
            raise ValueError(f"{name} is no {'text' if kind is str else 'whole number'}")
        elif kind is int and given[name] < 0:
            raise ValueError(f"{name} is less than 0")
    if not ID.fullmatch(given["id"]) or ".." in PurePosixPath(given["id"]).parts:
        raise ValueError(f'the id "{given["id"]}" has other than letters, digits and _ . : @ = + / -')
    if given["form"] not in ("files", "dump"):
        raise ValueError(f'form is "{given["form"]}", and neither files nor dump')
    digest = given.get("digest", "").lower()
    if digest and not HEX.fullmatch(digest):
        raise ValueError("digest is no SHA-256 in hex")
    size = given["size"]
    return Kept(
        given["id"], _time(given, "ended"), given["version"], given["form"], size=size,
        stored={"stored": size, **given}["stored"], digest=digest, digest_of="as the list says" if digest else "",
        began=_time(given, "began") if "began" in given else None, kind=given.get("kind", "full"),
        system=given.get("system", ""), database=given.get("database", ""),
    )  # fmt: skip  # in groups


def _time(given: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(given[name])
    except ValueError:
        raise ValueError(f'{name} is "{given[name]}", and no time in ISO 8601') from None
    if found.tzinfo is None:
        raise ValueError(f'{name} is "{given[name]}", without its zone')
    return found


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
