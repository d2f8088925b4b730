"""Backups by pgBackRest, from 2.45 on: its own catalogue, its own restore, and its archive, all of it as plain files.

pgBackRest names an archived segment by the SHA-1 of what PostgreSQL wrote (`<segment>-<sha1>.gz`), so each that is
fetched is compared with its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError, NotInTime, NotReady, Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived
from harness.restores.sources.pgbackrest_config import Repo
from harness.restores.sources.pgbackrest_tool import NAME, NEWER, TOO_NEW, Tool, error_of, told
from harness.restores.sources.storage import Folder, storage
from harness.system import clock
from harness.system.command import CommandFailed, Commands, Done

ARCHIVED = re.compile(r"([0-9A-F]{24})-([0-9a-f]{40})(\.[a-z0-9]+)?")
HISTORY = re.compile(r"([0-9A-F]{8}\.history)(\.[a-z0-9]+)?")
KINDS = {"full": "full", "diff": "differential", "incr": "incremental"}
WORKERS = 4  # that fetch the archive; each file is a process of pgBackRest's, which waits as long as it works
FETCH = f"""\
list=$1 into=$2; shift 2
while IFS= read -r name; do
    {NAME} "$@" archive-get "$name" "$into/$name" || echo "$name $?"
done < "$list"
"""


class PgBackRest:
    """Fills `Source`."""

    def __init__(
        self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]
    ) -> None:  # fmt: skip  # parameters in groups
        self._backup = backup
        self._programs = programs
        self._commands = commands
        self._values = values
        self._asked = Tool(backup, programs=programs, commands=commands, values=values)

    @property
    def tool(self) -> str:
        return self._asked.said

    @property
    def read_only(self) -> str:
        if all(repo.where for repo in self._asked.configuration.repos):
            return self._programs.read_only
        return ""  # what a key, or a host of repositories, would let us do is not tried

    def catalogue(self) -> list[Kept]:
        stanza = self._asked.info()
        return sorted((_kept(entry, stanza) for entry in stanza.get("backup", ())), key=lambda one: (one.ended, one.id))

    def inventory(self) -> Inventory:
        """With versions of objects, where there is a client for them; else as pgBackRest lists its files."""
        if self._backup.repository is not None and self._backup.config is None:
            try:
                return storage(self._backup, self._values).inventory()
            except Unable:
                return self._files(self._asked.configuration.repos[0])
        repos = self._asked.configuration.repos
        return {f"repo{repo.key}/{name}": said for repo in repos for name, said in self._files(repo).items()}

    def _files(self, repo: Repo) -> Inventory:
        if repo.where:
            return Folder(repo.where).inventory()
        files = self._asked.listed(repo.key).items()
        return {name: f"{one['size']} bytes, changed {one['time']}" for name, one in files}

    def needs(self, kept: Kept) -> Needs:
        return Needs(tablespaces=[str(each["name"]) for each in self._entry(kept).get("tablespace") or ()])

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """The base backup, then the archive; a point takes no less of it, for what lies behind it is looked at."""
        begin = clock.mono()
        first = kept.facts["first"]
        if first:
            self._must_be_complete(kept)
        parts, said = self._restored(kept, place, within=_left(begin, within))
        if not first:  # it was taken of a server that was down
            return Brought([parts], said)
        restored = clock.mono()
        seen, there = clock.now().utc, self._archive(kept)
        wal = place.folder / "wal"
        wal.mkdir()
        said += self._fetched(kept, there, wal, place, within=_left(begin, within))
        fetched = sum(path.stat().st_size for path in wal.iterdir())
        histories, size = archived.histories(wal), int(kept.facts["segment"])
        path, gaps = archived.along(there, first=first, size=size, histories=histories)
        both = [parts, Part("fetch", clock.since(restored), fetched)]
        return Brought(both, [*said, *gaps], wal, path[-1] if path else "", seen)

    def _entry(self, kept: Kept) -> dict[str, Any]:
        """What the catalogue says of one backup alone, which is more."""
        found = self._asked.info(f"--set={kept.id}", f"--repo={kept.facts['repo']}").get("backup", ())
        if not found:
            raise NotReady(f"{self._asked.where} has no backup {kept.id} any more", hint="ask for the newest one")
        return dict(found[0])

    def _archive(self, kept: Kept) -> dict[str, set[str]]:
        """Each file of the archive of the backup's system, to the SHA-1s that it is there with; histories have none."""
        found: dict[str, set[str]] = {}
        for id in kept.facts["archives"].split():
            for name in self._asked.listed(int(kept.facts["repo"]), f"archive/{self._asked.stanza}/{id}"):
                file = name.rpartition("/")[2]
                if segment := ARCHIVED.fullmatch(file):
                    found.setdefault(segment[1], set()).add(segment[2])
                elif history := HISTORY.fullmatch(file):
                    found.setdefault(history[1], set())
        return found

    def _must_be_complete(self, kept: Kept) -> None:
        """Errors: `DrillError` where the archive has not what the backup needs to be consistent."""
        there, size = self._archive(kept), int(kept.facts["segment"])
        lacking = archived.lacking(there, start=kept.facts["first"], stop=kept.facts["last"], size=size)
        if lacking:
            raise DrillError(
                f"backup {kept.id} is without its write-ahead log: {archived.some(lacking)} not in the archive",
                hint="it cannot become consistent; look at what expires or copies the archive, and take another backup",
            )

    def _restored(self, kept: Kept, place: Place, *, within: timedelta) -> tuple[Part, list[str]]:
        """Errors: `CommandFailed` with the tool's words; `Unable` where it is made by a newer one than this is."""
        entry = self._entry(kept)
        spaces = place.folder / "tablespaces"
        spaces.mkdir(exist_ok=True)
        known = [str(each["oid"]) for each in entry.get("tablespace") or ()]
        mapped = [f"--tablespace-map={oid}={spaces / oid}" for oid in known]
        repo = f"--repo={kept.facts['repo']}"
        begin = clock.mono()
        with self._asked.given(data=place.data, processes=_processes()) as (options, work):
            argv = [*self._asked.words(NAME, [work, place.folder]), *options, repo, f"--set={kept.id}", "--type=none"]
            argv += [f"--tablespace-map-all={spaces}", *mapped, "restore"]
            done = self._commands.run(argv, within=within, check=False)
        if not done.ok:
            raise self._failed(kept, done)
        wrong = [f"pgbackrest: {kept.sound}"] if kept.sound else []
        errors = [f"pgbackrest: page checksum error in {file}" for file in entry.get("error-list") or ()]
        return Part("restore", clock.since(begin), kept.size), [*told(done.err + done.out), *wrong, *errors]

    def _failed(self, kept: Kept, done: Done) -> DrillError:
        said, by = error_of(done), kept.facts["by"]
        made = re.match(r"(\d+)\.(\d+)", by)
        if TOO_NEW.search(done.err) or (made and (int(made[1]), int(made[2])) > self._asked.version):
            what = f"backup {kept.id}, made by pgBackRest {by} of PostgreSQL {kept.version}"
            return Unable(f"{what}, is not restored by {self.tool}: {said}", hint=NEWER)
        return CommandFailed(
            f"backup {kept.id}: pgbackrest restore: {said}", hint="read all that it said in the journal"
        )

    def _fetched(
        self, kept: Kept, there: Mapping[str, Collection[str]], wal: Path, place: Place, *, within: timedelta
    ) -> list[str]:  # fmt: skip  # parameters in groups
        """What belongs to the backup of the archive, as plain files in `wal`; what was wrong with any, in words."""
        names = archived.wanted(there, first=kept.facts["first"])
        repo = f"--repo={kept.facts['repo']}"
        with self._asked.given(data=place.data) as (options, work):
            argv = [*self._asked.words("sh", [work, place.folder]), "-c", FETCH, "sh"]

            def one(number: int) -> list[str]:
                mine = names[number::WORKERS]
                listed = work / f"list{number}"
                listed.write_text("".join(f"{name}\n" for name in mine))
                done = self._commands.run([*argv, listed, wal, *options, repo], within=within, check=False)
                if not done.ok:
                    raise CommandFailed(f"pgbackrest archive-get: {error_of(done)}", hint="read it in the journal")
                return [*told(done.err), *(word for name in mine if (word := _wrong(wal / name, there[name])))]

            with ThreadPoolExecutor(WORKERS) as pool:
                return [word for words in pool.map(one, range(min(WORKERS, len(names)))) for word in words]


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


def _left(begin: int, within: timedelta) -> timedelta:
    left = within - clock.since(begin)
    if left <= timedelta():
        raise NotInTime(f"not restored within {within.total_seconds():g} s", hint="give it more time: `within`")
    return left


def _kept(entry: Mapping[str, Any], stanza: Mapping[str, Any]) -> Kept:
    owner = {"id": entry["database"]["id"], "repo-key": entry["database"]["repo-key"]}
    system = next((each for each in stanza.get("db", ()) if {name: each[name] for name in owner} == owner), None)
    if system is None:
        raise NotReady(
            f"backup {entry['label']}: its catalogue does not say of which system it is", hint="ask for another"
        )
    same = ("repo-key", "system-id", "version")
    owners = [each for each in stanza["db"] if all(each[name] == system[name] for name in same)]
    ids = [(each["id"], each["repo-key"]) for each in owners]
    archives = [one for one in stanza.get("archive", ()) if (one["database"]["id"], one["database"]["repo-key"]) in ids]
    stored, archive, lsn = entry["info"]["repository"], entry.get("archive") or {}, entry.get("lsn") or {}
    ends = {archive[end]: lsn[end] for end in ("start", "stop") if archive.get(end) and lsn.get(end)}
    canonical = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Kept(
        id=entry["label"],
        began=datetime.fromtimestamp(entry["timestamp"]["start"], UTC),
        ended=datetime.fromtimestamp(entry["timestamp"]["stop"], UTC),
        version=int(str(system["version"]).partition(".")[0]),
        form="files",
        size=entry["info"]["size"],
        stored=stored.get("size") or stored["delta"],
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        digest_of="the catalogue's entry",
        kind=KINDS.get(entry["type"], entry["type"]),
        system=str(system["system-id"]),
        sound="pages did not match their checksums when it was taken" if entry.get("error") else "",
        facts={
            "repo": str(system["repo-key"]),
            "by": entry["backrest"]["version"],
            "first": archive.get("start") or "",
            "last": archive.get("stop") or "",
            "segment": str(archived.size_of(ends)),
            "needs": " ".join(entry.get("reference") or ()),
            "archives": " ".join(one["id"] for one in archives),
        },
    )
