"""A data directory, made of base backups: copied or unpacked, compared with its manifest, combined with its parents."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from harness.errors import DrillError
from harness.restores import Place
from harness.restores.sources import tars
from harness.restores.sources.base_backup_files import MANIFEST, Layout
from harness.restores.sources.storage import LINK, Folder, Storage, Stored
from harness.system.command import CommandFailed, Commands

WORKERS = 4
NOT_COPIED = {"postmaster.pid", "postmaster.opts"}
EMPTY_FOLDERS = (  # of every data directory: what copies objects copies no folder that is empty
    "pg_commit_ts", "pg_dynshmem", "pg_logical/mappings", "pg_logical/snapshots", "pg_multixact/members",
    "pg_multixact/offsets", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp",
    "pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal/archive_status", "pg_xact",
)  # fmt: skip  # a list
SPACE_FILES = re.compile(r"PG_\d+")  # what a tablespace's folder begins with
COMPLAINS = re.compile(r"^pg_\w+: ((?:error|warning|fatal): .*)$", re.MULTILINE)


class Maker:
    """Of the backups of one repository, into one place. `left` says how much time there is yet, or raises."""

    def __init__(
        self, storage: Storage, commands: Commands, place: Place, files: Mapping[str, Stored],
        left: Callable[[], timedelta],
    ) -> None:  # fmt: skip  # parameters in groups
        self._storage = storage
        self._commands = commands
        self._place = place
        self._files = files
        self._left = left

    def fill(self, layout: Layout, into: Path, spaces: Path) -> list[str]:
        """The data directory of one backup, and its tablespaces in `spaces`; what was left out, in words.

        Errors: `DrillError` where a part of it is not there or is damaged.
        """
        into.mkdir(mode=0o700, exist_ok=True)
        spaces.mkdir(mode=0o700, exist_ok=True)
        said = self._unpacked(layout, into, spaces) if layout.base else self._copied(layout, into, spaces)
        for name in EMPTY_FOLDERS:
            (into / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for space in sorted(spaces.iterdir()):
            link = into / "pg_tblspc" / space.name
            if link.is_dir() and not link.is_symlink():
                link.rmdir()  # which a tar has as an empty one
            link.symlink_to(space)
        return said

    def verified(self, data: Path, wal: Path | None) -> list[str]:
        """What the program of its version has against it, by its manifest; `wal` None: the log is not looked at."""
        if not (data / MANIFEST).exists():
            return []
        log = [f"--wal-directory={wal}"] if wal else ["--no-parse-wal"]
        try:
            done = self._place.run("pg_verifybackup", *log, str(data), within=self._left(), check=False)
        except CommandFailed as error:
            return [f"pg_verifybackup: {error.message}"]
        if done.ok:
            return []
        return _complaints("pg_verifybackup", done.err or done.out, done.exit)

    def combined(self, folders: Sequence[Path], spaces: Mapping[str, str]) -> list[str]:
        """A full backup and those that follow on it, oldest first, become the data directory. Errors: `DrillError`."""
        mapped = [f"--tablespace-mapping={old}={new}" for old, new in spaces.items()]
        words = [*map(str, folders), *mapped, f"--output={self._place.data}"]
        done = self._place.run("pg_combinebackup", *words, within=self._left(), check=False)
        said = _complaints("pg_combinebackup", done.err, done.exit)
        if not done.ok:
            hint = "look at the backups that it goes with: they have to be whole, and of one system"
            raise CommandFailed("; ".join(said), hint=hint)
        return said if done.err.strip() else []

    def _unpacked(self, layout: Layout, into: Path, spaces: Path) -> list[str]:
        _, said = tars.unpack(self._storage, layout.base, into, commands=self._commands, within=self._left())
        mapped = into / "tablespace_map"
        known = {line.partition(" ")[0] for line in _lines(mapped)}
        if missing := sorted(known - set(layout.spaces)):
            raise _not_there(layout, missing[0], "its tar is not in the backup")
        folders = {tar: spaces / oid for oid, tar in layout.spaces.items()}
        if tar := layout.tar("pg_wal"):
            folders[tar] = into / "pg_wal"
        for name, folder in folders.items():
            folder.mkdir(mode=0o700, exist_ok=True)
            said += tars.unpack(self._storage, name, folder, commands=self._commands, within=self._left())[1]
        if MANIFEST in layout.files:
            self._storage.fetch(layout.at + MANIFEST, into / MANIFEST)
        return said

    def _copied(self, layout: Layout, into: Path, spaces: Path) -> list[str]:
        names: dict[str, Path] = {}
        for name in layout.files:
            path = tars.inside(name, of=layout.id)
            if path.parts[0] == "pg_tblspc" and len(path.parts) > 2:
                names[layout.at + name] = spaces.joinpath(*path.parts[1:])
            elif name not in NOT_COPIED:
                names[layout.at + name] = into / path
        for link, target in links(self._storage, layout).items():
            kind, _, oid = link.partition("/")
            folder = self._folder(target, space=kind == "pg_tblspc")
            if not folder and kind == "pg_tblspc":
                raise _not_there(layout, oid, f"it was at {target}, which is not in the repository")
            for name in (each for each in self._files if folder and each.startswith(folder)):
                names[name] = (spaces / oid if oid else into / kind) / tars.inside(name.removeprefix(folder), of=name)

        def one(item: tuple[str, Path]) -> None:
            self._left()
            self._storage.fetch(*item)

        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in pool.map(one, names.items()):
                pass
        return []

    def _folder(self, target: str, *, space: bool) -> str:
        """Where in the repository what a link led to is: under the longest end of its path that there is."""
        parts = Path(target).parts[1:]
        for at in range(len(parts)):
            folder = "/".join(parts[at:]) + "/"
            inside = [name.removeprefix(folder) for name in self._files if name.startswith(folder)]
            if inside and (not space or any(SPACE_FILES.match(name) for name in inside)):
                return folder
        return ""


def links(storage: Storage, layout: Layout) -> dict[str, str]:
    """Those that a plain backup has, by their names in it: of its tablespaces, and of its log."""
    if layout.base or not isinstance(storage, Folder):
        return {}
    under = f"{layout.at}pg_tblspc/"
    return {
        name.removeprefix(layout.at): told.removeprefix(LINK)
        for name, told in storage.inventory().items()
        if told.startswith(LINK) and (name == f"{layout.at}pg_wal" or name.startswith(under))
    }


def own_spaces(data: Path, spaces: Path) -> dict[str, str]:
    """Each tablespace of a data directory, where it is, to where it is to be."""
    links = [link for link in (data / "pg_tblspc").iterdir() if link.is_symlink()]
    return {str(link.readlink()): str(spaces / link.name) for link in links}


def thrown_away(folder: Path) -> None:
    shutil.rmtree(folder)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.is_file() else []


def _complaints(program: str, text: str, code: int) -> list[str]:
    found = COMPLAINS.findall(text) or [f"exit code {code}, without a word"]
    return [f"{program}: {each}" for each in found]


def _not_there(layout: Layout, oid: str, why: str) -> DrillError:
    hint = "a plain base backup has its tablespaces elsewhere: keep those folders in the repository, or take it as tars"
    return DrillError(f"base backup {layout.id}: the tablespace {oid} is missing: {why}", hint=hint)
