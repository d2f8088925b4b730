"""Backups by Barman, of one server of a barman_home, which drdrill need not have made.

Its catalogue and its archive are read as the files that they are. Neither needs Barman or its configuration: Barman
would write its locks, lists and log into the repository. What puts a backup into the place is `barman_base`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from harness.errors import Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived
from harness.restores.sources.barman_base import Bases
from harness.restores.sources.barman_home import Home, Line, home
from harness.restores.sources.barman_info import against, described, lacking, must_be_complete, some, whole
from harness.restores.sources.pieces import Pieces, Unpacker, left
from harness.restores.sources.storage import Folder
from harness.stacks.parts.wal import history_of, is_segment
from harness.system import clock
from harness.system.command import Commands

ENTRY = 1 << 16  # bytes: an entry beside the files was counted with them, as it was then
WAL = "wal"  # folder of the place
WORK = "work"  # and one for what is in between


class Barman:
    """Fills `Source`."""

    def __init__(
        self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]
    ) -> None:  # fmt: skip  # parameters in groups
        self._backup = backup
        self._programs = programs
        self._commands = commands

    @property
    def tool(self) -> str:
        return Bases(self._home, self._programs, self._commands).tool

    @property
    def read_only(self) -> str:
        return self._home.read_only

    def catalogue(self) -> list[Kept]:
        home = self._home
        stored: dict[str, int] = defaultdict(int)
        folders: dict[str, set[str]] = defaultdict(set)
        for name, file in home.base.files().items():
            id, _, inside = name.partition("/")
            stored[id] += file.size if inside != "backup.info" else 0
            folders[id].add(inside.partition("/")[0])
        pieces = home.archive()
        found = []
        for id, entry in home.entries().items():
            if isinstance(entry, str):
                kept = against(described(id, b"", stored=stored[id]), entry)
                found.append(replace(kept, digest="", digest_of=""))
            else:
                kept = described(id, entry, stored=stored[id])
                found.append(_looked_at(kept, stored[id], folders[id], pieces))
        return sorted(found, key=lambda kept: (kept.ended, kept.id))

    def inventory(self) -> Inventory:
        return self._home.inventory()

    def needs(self, kept: Kept) -> Needs:
        info = whole(kept, self._home.entry(kept.id))
        return Needs(tablespaces=[each.name for each in info.tablespaces])

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """The base backup, then the archive; a point needs no less of it, for what lies behind it is looked at."""
        begin = clock.mono()
        home = self._home
        info = whole(kept, home.entry(kept.id))
        must_be_complete(kept, home.archive())
        work = place.folder / WORK
        work.mkdir(parents=True, exist_ok=True)
        bases = Bases(home, self._programs, self._commands)
        said = bases.bring(kept.id, info, place, work, within=left(begin, within))
        parts = [Part("restore", clock.since(begin), kept.size)]
        base = clock.mono()
        seen, there = clock.now().utc, home.archive()
        listed = home.listed()
        wanted = archived.wanted(there, first=kept.facts["first"])
        said += against_list(listed, there, wanted, home)
        unpacker = Unpacker(self._programs, self._commands, work, left(begin, within))
        wal = place.folder / WAL
        for folder in (home.wals, *home.waiting):
            where = {name: there[name][1] for name in wanted if there[name][0] is folder}
            pieces = Pieces(folder, where, info.segment, info["systemid"])
            said += pieces.bring(list(where), wal, unpacker, within=left(begin, within))
        parts.append(Part("fetch", clock.since(base), sum(each.stat().st_size for each in wal.iterdir())))
        path, gaps = archived.along(
            there, first=kept.facts["first"], size=info.segment, histories=archived.histories(wal)
        )
        return Brought(parts, [*said, *gaps], wal, path[-1] if path else "", seen)

    @cached_property
    def _home(self) -> Home:
        return home(self._backup)


def _looked_at(kept: Kept, stored: int, folders: Collection[str], names: Collection[str]) -> Kept:
    """With what the files beside its entry say against it. `stored`: their bytes."""
    written = int(kept.facts.get("bytes", 0))
    if "data" not in folders and "first" in kept.facts:
        kept = against(kept, "its files are not there")
    elif written and stored != written and not ("backup.info" in folders and 0 <= written - stored <= ENTRY):
        kept = against(kept, f"its files have {stored} bytes, and its entry says {written}")
    words = lacking(kept, names)
    return against(kept, words) if words else kept


def against_list(
    listed: Mapping[str, Line] | None, there: Mapping[str, tuple[Folder, str]], wanted: Collection[str], home: Home
) -> list[str]:
    """Where the archive is not what Barman's own list of it says, in words: what a restore by Barman goes by.

    Errors: `Unable` where pieces are encrypted.
    """
    file = home.listing.name
    if listed is None:
        return [f"{file} is not there: Barman itself would restore nothing of the archive"]
    if any(listed[name].encrypted for name in wanted if name in listed):
        raise Unable("the archive is encrypted", hint="drdrill opens nothing that Barman has encrypted")
    first = min(filter(is_segment, wanted), default="")
    gone = [name for name in listed if (is_segment(name) and first and name >= first) and name not in there]
    gone += [name for name in listed if history_of(name) and name not in there]
    kept = [name for name in wanted if there[name][0] is home.wals]
    sizes = {name: home.wals.root / there[name][1] for name in kept if name in listed}
    other = [name for name, path in sizes.items() if path.stat().st_size != listed[name].size]
    said = []
    if gone:
        said.append(f"{file} has pieces that are not in the archive: {some(gone)}")
    if unknown := [name for name in kept if name not in listed]:
        said.append(f"the archive has pieces that are not in {file}, so Barman would not restore them: {some(unknown)}")
    if other:
        said.append(f"pieces of the archive have another size than {file} says: {some(other)}")
    return said
