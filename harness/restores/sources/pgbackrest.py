"""Backups by pgBackRest, from 2.45 on: its own catalogue, its own restore, and its archive as plain files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.errors import NotReady, Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import archived
from harness.restores.sources.pgbackrest_config import Repo
from harness.restores.sources.pgbackrest_made import Maker
from harness.restores.sources.pgbackrest_tool import Tool
from harness.restores.sources.storage import Folder, storage
from harness.system import clock
from harness.system.command import Commands

KINDS = {"full": "full", "diff": "differential", "incr": "incremental"}


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
        maker = Maker(self._asked, self._commands, kept, place, within=within)
        first = kept.facts["first"]
        if first:
            maker.must_be_complete()
        entry = self._entry(kept)
        restored, said = maker.restored(entry)
        if not first:  # it was taken of a server that was down
            return Brought([restored], said)
        begin, seen = clock.mono(), clock.now().utc
        there = maker.archive()
        wal, wrong = maker.fetched(there)
        fetched = Part("fetch", clock.since(begin), sum(path.stat().st_size for path in wal.iterdir()))
        histories, size = archived.histories(wal), int(kept.facts["segment"])
        path, gaps = archived.along(there, first=first, size=size, histories=histories)
        return Brought([restored, fetched], [*said, *wrong, *gaps], wal, path[-1] if path else "", seen)

    def _entry(self, kept: Kept) -> dict[str, Any]:
        """What the catalogue says of one backup alone, which is more."""
        found = self._asked.info(f"--set={kept.id}", f"--repo={kept.facts['repo']}").get("backup", ())
        if not found:
            raise NotReady(f"{self._asked.where} has no backup {kept.id} any more", hint="ask for the newest one")
        return dict(found[0])


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
