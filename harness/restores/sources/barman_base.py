"""A base backup of Barman's becomes a data directory: its files are copied, unpacked, or put together from increments.

Nothing is followed that leads out of the repository, and tablespaces come into the place's own folder, never to where
the original has them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError, NotInTime
from harness.restores import Place, Programs
from harness.restores.sources import tars
from harness.restores.sources.barman_home import Home
from harness.restores.sources.barman_info import Info, whole_chain
from harness.restores.sources.storage import Folder
from harness.system import clock
from harness.system.command import Commands

LEFT = re.compile(  # of the original and not of its data: Barman leaves them out, too
    r"(pg_log|log|pg_wal|pg_xlog|pg_tblspc)/.*|postmaster\.(pid|opts)|recovery\.(conf|done)|tablespace_map"
)
NOT_COUNTED = ("log", "pg_log", "tablespace_map", "postmaster.opts", "recovery.done")  # of these the manifest may know
MANIFEST, LABEL = "backup_manifest", "backup_label"
TOLD = 10


@dataclass(frozen=True)
class Tree:
    """Where a backup is put: its data directory, and the folder of its tablespaces, each by its number."""

    data: Path
    tablespaces: Path

    def complete(self, info: Info) -> None:
        """What is not among a backup's files. Errors: `DrillError` where it has no label: it would not be recovered."""
        for folder in ("pg_wal/archive_status", "pg_tblspc"):
            (self.data / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in info.tablespaces:
            target = self.tablespaces / each.oid
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.data / "pg_tblspc" / each.oid).symlink_to(target)
        label = self.data / LABEL
        if not label.exists():
            if not info.label:
                raise DrillError(
                    f"the backup has no {LABEL}", hint="without it recovery begins anywhere: restore another backup"
                )
            label.write_text(info.label)


@dataclass
class Bases:
    """`said` grows: what was left out, or is wrong."""

    home: Home
    programs: Programs
    commands: Commands
    said: list[str] = field(default_factory=list)
    _until: int = 0  # on the monotonic clock

    @property
    def tool(self) -> str:
        return "the files of Barman's repository, restored by drdrill without Barman"

    def bring(self, id: str, info: Info, place: Place, work: Path, *, within: timedelta) -> list[str]:
        """Fill `place.data`; returns what of it was wrong, or left out, in words.

        Errors: `DrillError`, `NotReady`, `NotInTime`; `Unable` where nothing here can restore it.
        """
        self._until = clock.mono() + int(within.total_seconds() * 1e9)
        chain = whole_chain(id, info, self.home.entry)
        target = Tree(place.data, place.folder / "tablespaces")
        if len(chain) == 1:
            self._bring(id, info, target)
            self._count(info, target)
            return self.said
        trees = []
        for one, its in chain:
            trees.append(Tree(work / "chain" / one, work / "chain" / f"{one}-tablespaces"))
            self._bring(one, its, trees[-1])
            self._count(its, trees[-1])
        self._combine(info, trees, target, place)
        shutil.rmtree(work / "chain")
        self._count(info, target)
        return self.said

    def _bring(self, id: str, info: Info, tree: Tree) -> None:
        source = self.home.base.root / id
        tree.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if info["compression"]:
            self._unpack(id, "base", tree.data)
            for each in info.tablespaces:
                self._unpack(id, each.oid, tree.tablespaces / each.oid)
            (tree.data / "tablespace_map").unlink(missing_ok=True)  # it says where the original has them
            if (source / "data" / MANIFEST).is_file():
                Folder(source).fetch(f"data/{MANIFEST}", tree.data / MANIFEST)
        else:
            self._copy(source / "data", tree.data)
            for each in info.tablespaces:
                self._copy(source / each.oid, tree.tablespaces / each.oid)
        tree.complete(info)

    def _copy(self, source: Path, target: Path) -> None:
        """Errors: `DrillError` where a file cannot be read, `NotInTime`."""
        try:
            for entry, name in _walked(source):
                self._left()
                if LEFT.fullmatch(name):
                    continue
                to = target / name
                if entry.is_symlink():
                    self.said.append(f"{source}/{name} is a link out of the backup: not followed")
                elif entry.is_dir():
                    to.mkdir(parents=True, exist_ok=True, mode=0o700)
                else:
                    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    shutil.copyfile(entry.path, to, follow_symlinks=False)
        except OSError as error:
            raise DrillError(
                f"{error.filename}: {error.strerror}", hint="the backup has to be there, and to be readable"
            ) from None

    def _unpack(self, id: str, name: str, target: Path) -> None:
        """Errors: `DrillError` where it is damaged or not there, `NotInTime`, `Unable`."""
        folder = self.home.base.root / id / "data"
        found = sorted(path.name for path in folder.glob(f"{name}.tar*"))
        if len(found) != 1:
            said = " and ".join(found) if found else f"no {name}.tar"
            raise DrillError(f"{folder} has {said}", hint="restore another backup")
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        _, left = tars.unpack(Folder(folder), found[0], target, commands=self.commands, within=self._left())
        self.said += [f"{id}: {words}" for words in left]

    def _combine(self, info: Info, trees: list[Tree], target: Tree, place: Place) -> None:
        words = self.programs.words("pg_combinebackup", version=info.version, writes=[place.folder])
        moved = []
        for each in info.tablespaces:
            target.tablespaces.mkdir(parents=True, exist_ok=True, mode=0o700)
            moved += ["-T", f"{trees[-1].tablespaces / each.oid}={target.tablespaces / each.oid}"]
        folders = [str(tree.data) for tree in trees]
        self.commands.run([*words, "--no-sync", *moved, "-o", str(target.data), *folders], within=self._left())

    def _count(self, info: Info, tree: Tree) -> None:
        """What is not as the manifest of the backup says: a list of its files, with their checksums."""
        if not (tree.data / MANIFEST).is_file():
            return  # none is made before PostgreSQL 13, nor by Barman's own copying
        reads = [path for path in (tree.data, tree.tablespaces) if path.is_dir()]
        words = self.programs.words("pg_verifybackup", version=info.version, reads=reads)
        ignored = [f"--ignore={name}" for name in NOT_COUNTED]
        done = self.commands.run([*words, "--no-parse-wal", *ignored, str(tree.data)], within=self._left(), check=False)
        if not done.ok:
            lines = [line for line in (done.err + done.out).splitlines() if line.strip()]
            self.said += lines[:TOLD] or [f"pg_verifybackup exited {done.exit} without a word"]
            if len(lines) > TOLD:
                self.said.append(f"and {len(lines) - TOLD} more of pg_verifybackup's lines")

    def _left(self) -> timedelta:
        """Errors: `NotInTime`."""
        rest = self._until - clock.mono()
        if rest <= 0:
            raise NotInTime("the backup was not restored in time", hint="give it more time: backups: within")
        return timedelta(microseconds=rest // 1000)


def _walked(folder: Path, under: str = "") -> Iterator[tuple[os.DirEntry[str], str]]:
    """Each entry with its name below the folder, a folder before what is in it. Errors: `OSError`."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{under}{entry.name}"
            yield entry, name
            if entry.is_dir(follow_symlinks=False):
                yield from _walked(Path(entry.path), f"{name}/")
