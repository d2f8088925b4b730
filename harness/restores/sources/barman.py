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
from pathlib import Path

from harness.errors import NotReady, Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived
from harness.restores.sources.barman_base import Bases
from harness.restores.sources.barman_home import Home, Line, home
from harness.restores.sources.barman_info import (
    Info,
    against,
    described,
    in_order,
    lacking,
    must_be_complete,
    some,
    whole,
)
from harness.restores.sources.pieces import Pieces, Unpacker, left
from harness.restores.sources.storage import Folder
from harness.stacks.parts.wal import history_of, is_segment
from harness.system import clock, wait
from harness.system.command import Commands

ENTRY = 1 << 16  # bytes: an entry beside the files was counted with them, as it was then
WRITES = timedelta(seconds=2)  # between a piece and its line in the list
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
        return sorted(found, key=in_order)

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
        before = home.listed()  # first: what it has is there, for Barman writes a piece before its line
        seen, there = clock.now().utc, home.archive()
        wanted = archived.wanted(there, first=kept.facts["first"])
        said += against_list(before, there, wanted, home)
        wal = place.folder / WAL
        wal.mkdir(parents=True)
        unpacker = Unpacker(self._programs, self._commands, work, left(begin, within))
        said += _fetched(home, {name: there[name] for name in wanted}, wal, info, unpacker)
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
    before: Mapping[str, Line] | None, there: Mapping[str, tuple[Folder, str]], wanted: Collection[str], home: Home
) -> list[str]:
    """Where the archive is not what Barman's own list of it says, in words: what a restore by Barman goes by.

    `before`: the list as it was before the archive was looked at; a Barman that runs goes on writing both.
    Errors: `Unable` where pieces are encrypted.
    """
    file = home.listing.name
    kept = [name for name in wanted if there[name][0] is home.wals]
    after = wait.poll(
        home.listed, within=WRITES, enough=lambda listed: listed is None or all(name in listed for name in kept)
    )
    if before is None or after is None:
        return [f"{file} is not there: Barman itself would restore nothing of the archive"]
    if any(after[name].encrypted for name in wanted if name in after):
        raise Unable("the archive is encrypted", hint="drdrill opens nothing that Barman has encrypted")
    first = min(filter(is_segment, wanted), default="")
    gone = [name for name in before if (is_segment(name) and first and name >= first) and name not in there]
    gone += [name for name in before if history_of(name) and name not in there]
    sizes = {name: home.wals.root / there[name][1] for name in kept if name in after}
    other = [name for name, path in sizes.items() if path.stat().st_size != after[name].size]
    said = []
    if gone:
        said.append(f"{file} has pieces that are not in the archive: {some(gone)}")
    if unknown := [name for name in kept if name not in after]:
        said.append(f"the archive has pieces that are not in {file}, so Barman would not restore them: {some(unknown)}")
    if other:
        said.append(f"pieces of the archive have another size than {file} says: {some(other)}")
    return said


def _fetched(
    home: Home, there: Mapping[str, tuple[Folder, str]], into: Path, info: Info, unpacker: Unpacker
) -> list[str]:
    """What is damaged, in words. What had come in, and was put into the archive meanwhile, is fetched from there."""
    said: list[str] = []
    moved = {}
    within = unpacker.within
    begin = clock.mono()
    for name, (folder, file) in there.items():
        if folder is not home.wals:
            pieces = Pieces(folder, {name: file}, info.segment, info["systemid"])
            try:
                said += pieces.bring([name], into, unpacker, within=left(begin, within))
            except NotReady:
                moved[name] = name if history_of(name) else f"{name[:16]}/{name}"
    where = {name: file for name, (folder, file) in there.items() if folder is home.wals} | moved
    return said + Pieces(home.wals, where, info.segment, info["systemid"]).bring(
        sorted(where), into, unpacker, within=left(begin, within)
    )
