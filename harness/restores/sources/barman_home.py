"""Where a Barman keeps what: one server's folders in a `barman_home`, by its own configuration or without one.

Up to Barman 3.13.1 a backup's entry is base/ID/backup.info and the list of the archive wals/xlog.db. Since then they
are meta/ID-backup.info and wals/SERVER-xlog.db; a backup that was made before an upgrade stays as it was.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import NotReady, Refused, Unable
from harness.restores import Inventory
from harness.restores.described import Backup
from harness.restores.sources.storage import Folder

HOME = Path("/var/lib/barman")  # Debian's and Red Hat's
FOLDERS = {  # the option that names it, and its usual place in the server's folder
    "base": ("basebackups_directory", "base"),
    "wals": ("wals_directory", "wals"),
    "xlogdb": ("xlogdb_directory", ""),  # beside the archive
    "incoming": ("incoming_wals_directory", "incoming"),
    "streaming": ("streaming_wals_directory", "streaming"),
}
INFO = re.compile(r"(.+)-backup\.info")
MANY = 5  # names that are told


@dataclass(frozen=True)
class Line:
    """One of the list of the archive. `encrypted`: by what."""

    size: int
    encrypted: str


@dataclass(frozen=True)
class Home:
    """Of one server."""

    name: str
    root: Folder  # the server's own
    base: Folder
    wals: Folder
    waiting: tuple[Folder, ...]  # what has come in, and is not in the archive yet
    listing: Path

    def entries(self) -> dict[str, bytes | str]:
        """Each backup's id, to the bytes of its entry, or in words why it cannot be read. Errors: `NotReady`."""
        found: dict[str, bytes | str] = {}
        for id in self._folders():
            found[id] = self._read(self.base, f"{id}/backup.info")
        meta = Folder(self.root.root / "meta")
        if meta.root.is_dir():
            for file in meta.files():
                if named := INFO.fullmatch(file):
                    found[named[1]] = self._read(meta, file)
        return found

    def entry(self, id: str) -> bytes:
        """Errors: `NotReady` where it is gone, or cannot be read."""
        entry = self.entries().get(id, "it is gone")
        if isinstance(entry, str):
            raise NotReady(f"{self.base.said}: {id}: {entry}", hint="ask for the newest backup")
        return entry

    def archive(self) -> dict[str, tuple[Folder, str]]:
        """Each piece that is there, to the folder and the file of it. What is being written into one is no piece."""
        found: dict[str, tuple[Folder, str]] = {}
        for folder in (*self.waiting, self.wals):
            if folder is not self.wals and not folder.root.is_dir():
                continue
            for file in folder.files():
                found[file.rpartition("/")[2]] = folder, file
        return found

    def listed(self) -> dict[str, Line] | None:
        """What the list of the archive has; None where there is none, as after its removal. Errors: `NotReady`."""
        found = {}
        try:
            lines = self.listing.read_text().splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is no text"
            raise NotReady(f"{self.listing}: {said}", hint="this account has to be let read it") from None
        for line in lines:
            words = line.split()
            if len(words) >= 2 and words[1].isdecimal():
                found[words[0]] = Line(int(words[1]), words[4] if len(words) > 4 and words[4] != "None" else "")
        return found

    @property
    def folders(self) -> list[Folder]:
        """All of them, none twice."""
        inside = self.root.root
        return [
            self.root,
            *(one for one in (self.base, self.wals, *self.waiting) if not one.root.is_relative_to(inside)),
        ]

    def inventory(self) -> Inventory:
        found: dict[str, str] = {}
        for folder in self.folders:
            before = "" if folder is self.root else f"{folder.root}/"
            if folder in (self.root, self.base, self.wals) or folder.root.is_dir():
                found |= {f"{before}{name}": told for name, told in folder.inventory().items()}
        return found

    @property
    def read_only(self) -> str:
        said = [folder.read_only for folder in self.folders if folder.root.is_dir()]
        return said[0] if said and all(said) else ""

    def _folders(self) -> list[str]:
        """The ids of what has a folder. Errors: `NotReady` where it cannot be read."""
        try:
            return sorted(entry.name for entry in self.base.root.iterdir() if entry.is_dir() and entry.name[0] != ".")
        except OSError as error:
            raise NotReady(
                f"{self.base.said}: {error.strerror}",
                hint="it has to be there, and this account has to be let read all of it",
            ) from None

    @staticmethod
    def _read(folder: Folder, file: str) -> bytes | str:
        try:
            return folder.read(file)
        except NotReady as error:
            return error.message.removeprefix(f"{folder.said}: ")


def home(backup: Backup) -> Home:
    """Of the server in a stack file.

    Errors: `NotReady` where it is not there or cannot be read, `Refused` where a name is no name, `Unable` where its
    backups are in the cloud.
    """
    name = backup.server
    if not name or "/" in name or name.startswith("."):
        raise Refused(f'{backup.name}: "{name}" is no name of a server', hint="name one of Barman's as `server`")
    if backup.repository is not None:  # it alone counts, for a copy lies elsewhere than its configuration says
        given: Mapping[str, str] = {"barman_home": str(backup.repository)}
    else:
        given = _configured(backup.config, name) if backup.config else {}
    root = Path(given.get("backup_directory", f"{given.get('barman_home', HOME)}/{name}"))
    places = {}
    for key, (option, usual) in FOLDERS.items():
        said = given.get(option, str(root / usual))
        if "://" in said:
            hint = "use the tool barman-cloud for it, with the same bucket"
            raise Unable(f"{name}: its {option} is {said}, in the cloud", hint=hint)
        places[key] = Path(said)
    _must_be_there(root, name, places["base"])
    at = places["wals"] if "xlogdb_directory" not in given else places["xlogdb"]
    new = at / f"{name}-xlog.db"
    return Home(
        name, Folder(root), Folder(places["base"]), Folder(places["wals"]),
        (Folder(places["streaming"]), Folder(places["incoming"])), new if new.exists() else at / "xlog.db",
    )  # fmt: skip  # arguments in groups


def _must_be_there(root: Path, name: str, base: Path) -> None:
    """Errors: `NotReady`, with the servers that are there."""
    try:
        there = sorted(path.name for path in root.parent.iterdir() if (path / "wals").is_dir())
        if base.is_dir():
            return
    except OSError as error:
        hint = "it has to be there, and this account has to be let read all of it"
        raise NotReady(f"the folder {error.filename}: {error.strerror}", hint=hint) from None
    more = f" and {len(there) - MANY} more" if len(there) > MANY else ""
    servers = f"servers in it: {', '.join(there[:MANY])}{more}" if there else "it has no server of a Barman in it"
    raise NotReady(f"the folder {root.parent} has no backups of a server {name}", hint=servers)


def _configured(path: Path, server: str) -> Mapping[str, str]:
    """The options of one server in a barman.conf, with those of its files beside. Errors: `NotReady`, `Refused`."""
    read = _parser(path)
    more = read.get("barman", "configuration_files_directory", fallback="")
    for file in sorted(_files(more)):
        read = _parser(file, read)
    if not read.has_section(server):
        there = ", ".join(name for name in read.sections() if name != "barman") or "none"
        raise NotReady(f"{path} has no server {server}", hint=f"servers in it: {there}")
    general = dict(read.items("barman")) if read.has_section("barman") else {}
    found = {**general, **dict(read.items(server))}
    known = {"barman_home": found.get("barman_home", str(HOME)), "name": server}
    options = ("backup_directory", "wals_directory", *(option for option, _ in FOLDERS.values()))
    for option in options:
        if option in found:
            known[option] = found[option]
    known.setdefault("backup_directory", f"{known['barman_home']}/{server}")
    for option in options:
        if option in known:
            known[option] = re.sub(r"%\((\w+)\)s", lambda name: known.get(name[1], name[0]), known[option])
    return known


def _files(folder: str) -> Iterator[Path]:
    return iter(()) if not folder else Path(folder).expanduser().glob("*.conf")


def _parser(path: Path, before: configparser.RawConfigParser | None = None) -> configparser.RawConfigParser:
    read = before or configparser.RawConfigParser(strict=False)
    try:
        with path.open() as file:
            read.read_file(file, str(path))
    except OSError as error:
        raise NotReady(f"{path}: {error.strerror}", hint="it has to be there, and to be readable") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {str(error).splitlines()[0]}", hint="it has to be a barman.conf") from None
    return read
