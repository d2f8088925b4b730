"""A data directory, made of a backup by pgBackRest, and what its archive has from there on.

pgBackRest names an archived segment by the SHA-1 of what PostgreSQL wrote (`<segment>-<sha1>.gz`), so each that is
fetched is compared with its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError, NotInTime, Unable
from harness.restores import Kept, Part, Place
from harness.restores.sources import archived
from harness.restores.sources.pgbackrest_tool import NAME, NEWER, TOO_NEW, Tool, error_of, told
from harness.system import clock
from harness.system.command import CommandFailed, Commands, Done

ARCHIVED = re.compile(r"([0-9A-F]{24})-([0-9a-f]{40})(\.[a-z0-9]+)?")
HISTORY = re.compile(r"([0-9A-F]{8}\.history)(\.[a-z0-9]+)?")
WORKERS = 4  # that fetch the archive; each file is a process of pgBackRest's, which waits as long as it works
FETCH = f"""\
list=$1 into=$2; shift 2
while IFS= read -r name; do
    {NAME} "$@" archive-get "$name" "$into/$name" || echo "$name $?"
done < "$list"
"""


class Maker:
    """Of one backup, into one place, within a time that begins with it."""

    def __init__(self, asked: Tool, commands: Commands, kept: Kept, place: Place, *, within: timedelta) -> None:
        self._asked = asked
        self._commands = commands
        self._kept = kept
        self._place = place
        self._within = within
        self._begin = clock.mono()

    def archive(self) -> dict[str, set[str]]:
        """Each file of the archive of the backup's system, to the SHA-1s that it is there with; histories have none."""
        found: dict[str, set[str]] = {}
        for id in self._kept.facts["archives"].split():
            for name in self._asked.listed(int(self._kept.facts["repo"]), f"archive/{self._asked.stanza}/{id}"):
                file = name.rpartition("/")[2]
                if segment := ARCHIVED.fullmatch(file):
                    found.setdefault(segment[1], set()).add(segment[2])
                elif history := HISTORY.fullmatch(file):
                    found.setdefault(history[1], set())
        return found

    def must_be_complete(self) -> None:
        """Errors: `DrillError` where the archive has not what the backup needs to be consistent."""
        kept = self._kept
        there, size = self.archive(), int(kept.facts["segment"])
        lacking = archived.lacking(there, start=kept.facts["first"], stop=kept.facts["last"], size=size)
        if lacking:
            raise DrillError(
                f"backup {kept.id} is without its write-ahead log: {archived.some(lacking)} not in the archive",
                hint="it cannot become consistent; look at what expires or copies the archive, and take another backup",
            )

    def restored(self, entry: Mapping[str, Any]) -> tuple[Part, list[str]]:
        """By its entry in the catalogue. Errors: `CommandFailed`; `Unable` where a newer one made it."""
        kept, place = self._kept, self._place
        spaces = place.folder / "tablespaces"
        spaces.mkdir(exist_ok=True)
        known = [str(each["oid"]) for each in entry.get("tablespace") or ()]
        mapped = [f"--tablespace-map={oid}={spaces / oid}" for oid in known]
        repo = f"--repo={kept.facts['repo']}"
        begin = clock.mono()
        with self._asked.given(data=place.data, processes=_processes()) as (options, work):
            argv = [*self._asked.words(NAME, [work, place.folder]), *options, repo, f"--set={kept.id}", "--type=none"]
            argv += [f"--tablespace-map-all={spaces}", *mapped, "restore"]
            done = self._commands.run(argv, within=self._left(), check=False)
        if not done.ok:
            raise self._failed(done)
        wrong = [f"pgbackrest: {kept.sound}"] if kept.sound else []
        errors = [f"pgbackrest: page checksum error in {file}" for file in entry.get("error-list") or ()]
        return Part("restore", clock.since(begin), kept.size), [*told(done.err + done.out), *wrong, *errors]

    def fetched(self, there: Mapping[str, Collection[str]]) -> tuple[Path, list[str]]:
        """What belongs to the backup of the archive, as plain files in a folder; what was wrong with any, in words."""
        wal = self._place.folder / "wal"
        wal.mkdir()
        names = archived.wanted(there, first=self._kept.facts["first"])
        repo = f"--repo={self._kept.facts['repo']}"
        with self._asked.given(data=self._place.data) as (options, work):
            argv = [*self._asked.words("sh", [work, self._place.folder]), "-c", FETCH, "sh"]

            def one(number: int) -> list[str]:
                mine = names[number::WORKERS]
                listed = work / f"list{number}"
                listed.write_text("".join(f"{name}\n" for name in mine))
                done = self._commands.run([*argv, listed, wal, *options, repo], within=self._left(), check=False)
                if not done.ok:
                    raise CommandFailed(f"pgbackrest archive-get: {error_of(done)}", hint="read it in the journal")
                return [*told(done.err), *(word for name in mine if (word := _wrong(wal / name, there[name])))]

            with ThreadPoolExecutor(WORKERS) as pool:
                said = [word for words in pool.map(one, range(min(WORKERS, len(names)))) for word in words]
        return wal, said

    def _failed(self, done: Done) -> DrillError:
        kept = self._kept
        said, by = error_of(done), kept.facts["by"]
        made = re.match(r"(\d+)\.(\d+)", by)
        if TOO_NEW.search(done.err) or (made and (int(made[1]), int(made[2])) > self._asked.version):
            what = f"backup {kept.id}, made by pgBackRest {by} of PostgreSQL {kept.version}"
            return Unable(f"{what}, is not restored by {self._asked.said}: {said}", hint=NEWER)
        return CommandFailed(
            f"backup {kept.id}: pgbackrest restore: {said}", hint="read all that it said in the journal"
        )

    def _left(self) -> timedelta:
        left = self._within - clock.since(self._begin)
        if left <= timedelta():
            raise NotInTime(
                f"not restored within {self._within.total_seconds():g} s", hint="give it more time: `within`"
            )
        return left


def _wrong(path: Path, digests: Collection[str]) -> str:
    if not path.is_file():
        return f"{path.name} is in the archive, and could not be read from it"
    if not digests:
        return ""
    if len(digests) > 1:
        return f"{path.name} is in the archive {len(digests)} times, each time something else"
    return "" if archived.sha1(path) in digests else f"{path.name} of the archive is damaged: its SHA-1 is another"


def _processes() -> int:
    return max(1, len(os.sched_getaffinity(0)))
