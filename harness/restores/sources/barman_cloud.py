"""Backups by Barman's cloud tools, of one server of a repository in S3.

The catalogue is read where those tools read it, from the `backup.info` of each backup: so one that is no good is listed
as such, where they leave it out. A base backup is restored by their `barman-cloud-restore`. That one does not notice an
archive that was cut off between two files, or a wrong checksum of gzip, and ends with 0; so each archive is then read
again by us. Pieces of the write-ahead log are fetched by us, for their tool starts anew for each one.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.evidence.run_folder import temporary_prefix
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived
from harness.restores.sources.barman_info import (
    Info,
    against,
    described,
    in_order,
    lacking,
    must_be_complete,
    some,
    whole_chain,
)
from harness.restores.sources.barman_info import whole as whole_info
from harness.restores.sources.cloud_access import Access
from harness.restores.sources.pieces import ENDINGS, Pieces, Unpacker, left
from harness.restores.sources.storage import Storage, Stored, storage
from harness.restores.sources.tar_check import through
from harness.system import clock
from harness.system.command import Commands

RESTORE = "barman-cloud-restore"
BASE, WALS, ENTRY = "base/", "wals/", "backup.info"
ARCHIVE = re.compile(r"(data|\d+)(?:_(\d+))?\.tar(\.[a-z0-9]+)?")
LABEL = "backup_label"
STAMP = re.compile(r"\S+ \S+ \[\d+\] (?=[A-Z]+: )")  # before each line of a tool
WAL, WORK = "wal", "work"  # folders of the place
TOLD = 300  # characters of what a tool says


class BarmanCloud:
    """Fills `Source`."""

    def __init__(
        self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]
    ) -> None:  # fmt: skip  # parameters in groups
        self._backup = backup
        self._programs = programs
        self._commands = commands
        self._values = values

    @cached_property
    def tool(self) -> str:
        done = self._commands.run([*self._programs.words(RESTORE), "--version"], check=False)
        found = re.search(r"\d+\.\d+\S*", done.out)
        if not done.ok or not found:
            hint = "pip install barman[cloud], or say an `image` that has it"
            raise Unable(f"{RESTORE} of {self._programs.said} does not say its version", hint=hint)
        return f"{RESTORE} {found[0]}"

    @property
    def read_only(self) -> str:
        return ""  # the tool has the key, and what that would let it do is not tried

    def catalogue(self) -> list[Kept]:
        files = self._files()
        backups: dict[str, dict[str, Stored]] = defaultdict(dict)
        for name, file in files.items():
            id, _, inside = name.removeprefix(BASE).partition("/")
            if name.startswith(BASE) and inside:
                backups[id][inside] = file
        pieces = _pieces(files)
        found = [self._kept(id, inside, pieces) for id, inside in backups.items()]
        return sorted(found, key=in_order)

    def inventory(self) -> Inventory:
        self._files()  # where nothing is, somebody is told
        return self._storage.inventory()

    def needs(self, kept: Kept) -> Needs:
        return Needs(tablespaces=[each.name for each in self._info(kept).tablespaces])

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """The base backup, then the archive; a point needs no less of it, for what lies behind it is looked at."""
        begin = clock.mono()
        _ = self.tool
        info = self._info(kept)
        files = self._files()
        must_be_complete(kept, _pieces(files))
        archives = _archives(kept, info, files)
        self._restore(kept, info, place, within=left(begin, within))
        parts = [Part("restore", clock.since(begin), kept.size)]
        work = place.folder / WORK
        work.mkdir(parents=True, exist_ok=True)
        unpacker = Unpacker(self._programs, self._commands, work, left(begin, within))
        base = clock.mono()
        said = [words for name in archives for words in through(self._storage, name, unpacker, within=within)]
        parts.append(Part("verify", clock.since(base), sum(files[name].size for name in archives)))
        base = clock.mono()
        seen, there = clock.now().utc, _pieces(self._files())
        wanted = archived.wanted(there, first=kept.facts["first"])
        wal = place.folder / WAL
        pieces = Pieces(self._storage, there, info.segment, info["systemid"])
        said += pieces.bring(wanted, wal, unpacker, within=left(begin, within))
        parts.append(Part("fetch", clock.since(base), sum(each.stat().st_size for each in wal.iterdir())))
        path, gaps = archived.along(
            there, first=kept.facts["first"], size=info.segment, histories=archived.histories(wal)
        )
        return Brought(parts, [*said, *gaps], wal, path[-1] if path else "", seen)

    # What is in the repository

    @cached_property
    def _storage(self) -> Storage:
        """Of the server alone."""
        return storage(replace(self._backup, repository=f"{self._repository}/{self._server}"), self._values)

    @property
    def _repository(self) -> str:
        """Errors: `Refused` where it is not in S3."""
        at = str(self._backup.repository or "")
        if not at.startswith("s3://"):
            raise Refused(f"{self._backup.name}: {at or 'nothing'} is no repository in S3", hint="s3://bucket/prefix")
        return at.rstrip("/")

    @property
    def _server(self) -> str:
        if not self._backup.server or "/" in self._backup.server:
            hint = "name one of Barman's as `server`"
            raise Refused(f'{self._backup.name}: "{self._backup.server}" is no name of a server', hint=hint)
        return self._backup.server

    def _files(self) -> Mapping[str, Stored]:
        """Errors: `NotReady`, also where there is no such server: nothing of it must not pass for no backup."""
        files = self._storage.files()
        if not any(name.startswith((BASE, WALS)) for name in files):
            others = storage(self._backup, self._values).files()
            servers = {name.partition("/")[0] for name in others if name.split("/")[1:2] in (["base"], ["wals"])}
            hint = f"servers in it: {some(servers)}" if servers else "it has none of a Barman"
            raise NotReady(f"{self._repository} has no server {self._server}", hint=hint)
        return files

    def _kept(self, id: str, inside: Mapping[str, Stored], pieces: Collection[str]) -> Kept:
        stored = sum(file.size for name, file in inside.items() if name != ENTRY)
        if ENTRY not in inside:
            kept = replace(described(id, b"", stored=stored), digest="", digest_of="", sound="")
            return against(kept, "it has no backup.info: it is being made, or was cut short")
        kept = described(id, self._storage.read(f"{BASE}{id}/{ENTRY}"), stored=stored)
        if "first" in kept.facts and not any(ARCHIVE.fullmatch(name) for name in inside):
            kept = against(kept, "its files are not there")
        words = lacking(kept, pieces)
        return against(kept, words) if words else kept

    def _info(self, kept: Kept) -> Info:
        """Errors: `NotReady`, `Refused`, `Unable`."""
        info = whole_info(kept, self._storage.read(f"{BASE}{kept.id}/{ENTRY}"))
        whole_chain(kept.id, info, lambda id: self._storage.read(f"{BASE}{id}/{ENTRY}"))
        return info

    # How it is restored

    def _restore(self, kept: Kept, info: Info, place: Place, *, within: timedelta) -> None:
        """Every tablespace is given a folder in the place: the tool would else write to where the original has it.

        Errors: `DrillError` with the tool's words, `Unable`.
        """
        spaces = place.folder / "tablespaces"
        moved: list[str] = []
        for each in info.tablespaces:
            if ":" in each.name:
                raise Unable(f"{RESTORE} takes no tablespace with a colon in its name", hint="restore it by hand")
            (spaces / each.oid).mkdir(parents=True, exist_ok=True, mode=0o700)
            moved += ["--tablespace", f"{each.name}:{spaces / each.oid}"]
        place.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        access = Access(self._backup.s3, self._values)
        with _short_folder(self._commands.label) as folder:
            env = access.environment(folder)
            words = self._programs.words(
                RESTORE, reads=access.files(env, folder), writes=[place.folder, folder], network=True
            )
            options = [*access.options, *moved, self._repository, self._server, kept.id, str(place.data)]
            done = self._commands.run([*words, *options], within=within, env=env, check=False)
        if not done.ok:
            said = STAMP.sub("", " ".join((done.err or done.out).split()))[-TOLD:]
            told = f"{kept.id} cannot be restored: {RESTORE} exited {done.exit}: {said}"
            raise DrillError(told, hint="restore another backup")
        (place.data / "tablespace_map").unlink(missing_ok=True)  # it says where the original has them
        if not (place.data / LABEL).is_file():
            hint = "its last archive is cut off, or gone; without it recovery begins anywhere"
            raise DrillError(f"{kept.id} has no {LABEL}", hint=hint)


def _pieces(files: Collection[str]) -> dict[str, str]:
    """Each piece of the archive, without the ending of its compression, to its object."""
    found = {}
    for name in files:
        if name.startswith(WALS):
            last = name.rpartition("/")[2]
            found[next((last.removesuffix(end) for end in ENDINGS.values() if last.endswith(end)), last)] = name
    return found


def _archives(kept: Kept, info: Info, files: Collection[str]) -> list[str]:
    """The archives of tar that it is made of. Errors: `DrillError` where one is not there, as far as that is known."""
    found: dict[str, set[int]] = defaultdict(set)
    names = sorted(name for name in files if name.startswith(f"{BASE}{kept.id}/"))
    for name in names:
        if part := ARCHIVE.fullmatch(name.rpartition("/")[2]):
            found[part[1]].add(int(part[2] or 0))
    for what in ("data", *(each.oid for each in info.tablespaces)):
        have = found.get(what, set())
        gone = sorted(set(range(max(have, default=0) + 1)) - have)
        if gone:
            missing = [f"{what}.tar" if not at else f"{what}_{at:04d}.tar" for at in gone]
            raise DrillError(f"{kept.id} cannot be restored: it has no {some(missing)}", hint="restore another backup")
    return [name for name in names if ARCHIVE.fullmatch(name.rpartition("/")[2])]


@contextmanager
def _short_folder(label: str) -> Iterator[Path]:
    """Barman makes a unix socket three folders below its temporary one, so that one's path must be short."""
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(label), dir="/tmp") as folder:
        yield Path(folder)
