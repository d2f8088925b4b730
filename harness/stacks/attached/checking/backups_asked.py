"""Whether each backup could be restored beside, found out before one is: the tool, the catalogue, an empty place of its
version that is made and removed again, what the backup takes of it, room and time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.errors import DrillError
from harness.plan.lengths import in_words, roughly
from harness.plan.sizes import measured
from harness.restores import Kept, Needs, Place, Source
from harness.restores.answering import await_answer
from harness.restores.budget import LEAST, TIMES
from harness.restores.described import Backup, Backups
from harness.restores.earlier import Earlier
from harness.restores.one import room_for
from harness.restores.programs import programs
from harness.restores.sources import source
from harness.stacks.attached.checking.at_once import Question
from harness.stacks.attached.checking.line import Line
from harness.system import clock
from harness.system.command import Commands
from harness.system.recorder import Memory

PART = "backups"
WITHIN = timedelta(minutes=3)  # a catalogue in S3, and an empty place that is made
EXTENSIONS = "SELECT name FROM pg_available_extensions"
COLLATIONS = "SELECT collname FROM pg_collation UNION SELECT datcollate FROM pg_database"
AGE = "backups: {} of them, the newest {}"


def questions(
    said: Backups | None, *, values: Mapping[str, str], folder: Path, label: str,
    earlier: Callable[[str], Earlier | None],
) -> Iterator[Question]:  # fmt: skip  # parameters in groups
    """One for each database. `folder`: for places that are made and removed again; `earlier`: what runs have seen."""
    if said is None:
        return
    for name, backup in said.databases.items():
        asked = Asked(
            said, backup, values=values, folder=folder / name, commands=Commands(Memory(), label=label), earlier=earlier
        )
        yield Question(PART, name, asked.all, within=WITHIN)


class Asked:
    """One database."""

    def __init__(
        self, said: Backups, backup: Backup, *, values: Mapping[str, str], folder: Path, commands: Commands,
        earlier: Callable[[str], Earlier | None],
    ) -> None:  # fmt: skip  # parameters in groups
        self._said = said
        self._backup = backup
        self._folder = folder
        self._earlier = earlier
        self._programs = partial(programs, said, commands)
        self._source = partial(source, backup, commands=commands, values=values)

    def all(self) -> list[Line]:
        """In order; what an earlier answer makes impossible is not asked. Errors: `DrillError`, of the first."""
        where = self._programs()
        found = self._source(programs=where)
        kept_by = "" if found.read_only else f"; {NOT_KEPT}"
        lines = [self._line("its tool is there", True, f"{found.tool}, by {where.said}{kept_by}")]
        lines += [self._line("it is only read", True, found.read_only)] if found.read_only else []
        catalogue = found.catalogue()
        if not catalogue:
            return [*lines, self._line("backups are there", False, "the catalogue is empty", "look with the tool")]
        kept = catalogue[-1]
        seen = (
            f"{len(catalogue)}, the newest {kept.id}, {_age(kept)}, {measured(kept.size or kept.stored)}, {_of(kept)}"
        )
        against = f"; the catalogue has against it: {kept.sound}" if kept.sound else ""
        lines.append(self._line("backups are there", not kept.sound, seen + against, "read the tool's log"))
        lines += self._timeless(catalogue)
        lines += self._system(kept)
        lines += self._room(kept)
        lines += self._placed(where.place, found, kept)
        return lines

    def _line(self, what: str, ok: bool | None, seen: str, hint: str = "") -> Line:
        return Line(PART, f"{self._backup.name}: {what}", ok, seen, "" if ok else hint)

    def _timeless(self, catalogue: Sequence[Kept]) -> list[Line]:
        """Where one has no time of its own, nobody knows which is the newest; no line where all have one."""
        without = [each.id for each in catalogue if each.ended is None]
        seen = f"no: {', '.join(without[:FEW])}{', …' if len(without) > FEW else ''} of {len(catalogue)} do not"
        return [self._line("each says when it was made", None, seen, NO_TIME)] if without else []

    def _system(self, kept: Kept) -> list[Line]:
        if kept.form == "dump":
            return []
        if not self._backup.system:
            hint = f'compare it with pg_controldata of the original, and write system: "{kept.system}"'
            return [self._line("it is of its own system", None, f"of the system {kept.system}", hint)]
        same = kept.system == self._backup.system
        return [self._line("it is of its own system", same, f"of the system {kept.system}", "is it the right server?")]

    def _room(self, kept: Kept) -> list[Line]:
        folder = next(each for each in (self._folder, *self._folder.parents) if each.is_dir())
        free, needed = shutil.disk_usage(folder).free, max(room_for(kept) * TIMES, LEAST)
        most = min(free, self._said.room or free)
        seen = f"{measured(most)} may be used, and twice its size is wanted, {measured(needed)} at least"
        before = self._earlier(self._backup.name)
        seen += "" if before else f"; how long it takes is not known before the first time, and {self._limit()}"
        lines = [self._line("there is room", needed <= most, seen, "backups: folder names another place for it")]
        if before is None:
            return lines
        likely = timedelta(seconds=before.seconds * max(1.0, kept.size / max(before.size, 1)))
        seen = f"{in_words(before.length)} the last time, with {measured(before.size)}; {self._limit()}"
        return [*lines, self._line("there is time", likely <= self._said.within, seen, "give it more: backups: within")]

    def _limit(self) -> str:
        return f"{in_words(self._said.within)} are given to all"

    def _placed(self, make: Callable[[Path, int], Place], found: Source, kept: Kept) -> list[Line]:
        """An empty place is made, asked and removed."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        place = make(self._folder, kept.version)
        try:
            place.initialise()
            place.start({})
            await_answer(place, "an empty place answers")
            with place.connect() as connection:
                there = {each[0] for each in connection.execute(EXTENSIONS).fetchall()}
                collations = {each[0] for each in connection.execute(COLLATIONS).fetchall()}
            needs = found.needs(kept)
            seen = f"PostgreSQL {place.version} answers in it{self._not_known(needs)}"
            lines = [self._line("an empty place can be made", True, seen), self._way_out(place)]
            lines += [self._reached(address, place.reach(address)) for address in self._backup.original]
            return [*lines, *self._needs(needs, there, collations)]
        finally:
            if left := place.remove():
                raise DrillError(left, hint=f"remove {self._folder} by hand")

    def _not_known(self, needs: Needs) -> str:
        """What nobody can tell before it is restored, in words."""
        extensions = needs.extensions is None and not self._backup.extensions
        names = [name for name, so in (("extensions", extensions), ("collations", needs.collations is None)) if so]
        return f"; which {' and '.join(names)} it takes is not known before it is restored" if names else ""

    def _way_out(self, place: Place) -> Line:
        rest = "" if self._backup.original else f"; {NO_ORIGINAL}"
        return self._line("it has no way out", bool(place.isolation), (place.isolation or NO_ISOLATION) + rest, LIFT)

    def _reached(self, address: str, became: str) -> Line:
        """As the finding judges it: what only stays silent may be a firewall on the way."""
        said = became.lower()
        ok = None if "taken" not in said and "refused" not in said else False
        ok = True if ok is None and all("unreachable" in each or "no route" in each for each in said.split(";")) else ok
        return self._line(f"it does not reach {address}", ok, became, LIFT)

    def _needs(self, needs: Needs, extensions: Collection[str], collations: Collection[str]) -> Iterator[Line]:
        wanted = [*(needs.extensions or ()), *self._backup.extensions]
        hint = "install them where it is restored, or name an image that has them: backups: image"
        if needs.extensions is not None or wanted:
            yield self._has("extensions", wanted, extensions, hint=hint)
        if needs.collations is not None:
            yield self._has("collations", needs.collations, collations, hint=hint)
        roles = [each for each in needs.roles or () if each not in self._backup.roles_elsewhere]
        seen = f"named by it, and not brought: {', '.join(roles)}" if roles else "it names none that are not brought"
        yield self._line(
            "roles",
            not roles,
            seen,
            NO_ROLES,
        )
        if needs.tablespaces:
            yield self._line("tablespaces", True, f"{', '.join(needs.tablespaces)}: each inside of the place")
        if needs.settings:
            said = ", ".join(f"{name}={value}" for name, value in needs.settings.items())
            yield self._line("settings", True, f"taken from it: {said}")

    def _has(self, what: str, wanted: Sequence[str], there: Collection[str], *, hint: str) -> Line:
        missing = [each for each in dict.fromkeys(wanted) if each not in there]
        if missing:
            return self._line(what, False, f"not there: {', '.join(missing)}", hint)
        return self._line(what, True, f"there: {', '.join(dict.fromkeys(wanted)) or 'none are wanted'}")


NOT_KEPT = "nothing keeps drdrill from writing there but that it does not: it is listed before and after each restore"
NO_ISOLATION = "this machine lets nobody make a network of its own"
NO_TIME = "dump with pg_dump --verbose, which writes it into a plain dump; or name a folder of those that say it"
FEW = 3  # names that a line has
NO_ROLES = "put globals.sql (pg_dumpall --globals-only) beside, or list them under `roles kept elsewhere`"
NO_ORIGINAL = "no address of the original is named (`original`): a door of this machine is tried"
LIFT = "run `drdrill doctor`, or name an image: backups: image"


def _of(kept: Kept) -> str:
    return f"PostgreSQL {kept.version}{f', database {kept.database}' if kept.database else ''}"


def _age(kept: Kept) -> str:
    if kept.ended is None:
        return "nothing says of when"
    return f"{roughly(clock.now().utc - kept.ended)} old"
