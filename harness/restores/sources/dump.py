"""Dumps of pg_dump and pg_dumpall, in a folder or in S3: files, and folders with a `toc.dat`.

What a dump is, of which version and from when is read in its own beginning; names and times of files say nothing. A
script that was not made with `--verbose` does not say when: its age is unknown. Beside the dumps may lie, for NAME,
`NAME.sha256` (or `SHA256SUMS`), which it is held against; and what `pg_dumpall --globals-only` writes, as
`globals.sql` or `roles.sql`, or such with the dump's own name before, which is loaded first.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from harness.errors import DrillError, Refused, Unable
from harness.restores import Brought, Inventory, Kept, Needs, Part, Place, Point, Programs
from harness.restores.described import Backup
from harness.restores.sources import load
from harness.restores.sources.dump_files import DumpFiles
from harness.restores.sources.header import ARCHIVES, NoHeader
from harness.restores.sources.script import Script, read_script
from harness.restores.sources.storage import storage
from harness.system import clock
from harness.system.command import Commands

IN_FIRST = (16 << 20, 256 << 20)  # bytes of an archive in which its table of contents is looked for
LARGEST = 1 << 30  # bytes of a script that are read for what it needs: there is no other way
LARGE_OBJECT = re.compile(r"^\d+; 2613 \d+ BLOB(?: METADATA)? \S+ \S+ (.+)$", re.MULTILINE)
LOOK = timedelta(minutes=5)
SUPERUSER = "postgres"  # of every place
NEVER = datetime.min.replace(tzinfo=UTC)


class Dumps:
    """Fills `Source`. The digest of a dump is known once it is brought, or where a checksum lies beside it."""

    def __init__(self, backup: Backup, *, programs: Programs, commands: Commands, values: Mapping[str, str]) -> None:
        self._backup = backup
        self._programs = programs
        self._commands = commands
        self._files = DumpFiles(storage(backup, values), commands, zone=backup.zone)

    @property
    def tool(self) -> str:
        return "pg_dump"

    @property
    def read_only(self) -> str:
        return self._files.storage.read_only

    def inventory(self) -> Inventory:
        return self._files.storage.inventory()

    def catalogue(self) -> list[Kept]:
        """Without dumps that say that they are of another database than `names`. With what is named like a dump and
        cannot be one, and what is wrong with it: it was meant to be a backup. Its version is 0.

        Errors: `NotReady`, also where files are there and none is a dump.
        """
        names = self._backup.names
        found = [each for each in self._files.all() if not (names and each.database and each.database not in names)]
        return sorted(found, key=lambda each: (each.ended or NEVER, each.id))

    def needs(self, kept: Kept) -> Needs:
        """By the table of contents of an archive; a script has to be read through, and is not where it is large."""
        if not kept.version:
            return Needs()
        try:
            script = self._contents(kept)
            beside = self._beside(kept)
            brought = {SUPERUSER, *(self._files.script(beside).created if beside else ())}
        except Unable:
            return Needs()
        return Needs(
            extensions=sorted(script.extensions),
            roles=sorted(set(script.missing_roles) - brought),
            collations=sorted(script.locales),
            tablespaces=sorted(script.tablespaces),
            settings={},
        )

    def bring(self, kept: Kept, place: Place, *, point: Point, within: timedelta) -> Brought:
        """Errors: `Refused` where a point is given; `DrillError` where the dump is none, cut short or spoilt."""
        if point.given:
            raise Refused(f"a dump is of one moment, and not of {point.said}", hint="take a backup of files for that")
        time = load.Time(within)
        begin = clock.mono()
        folder = place.folder / "dump"
        path, beside = folder / "it" / PurePosixPath(kept.id).name, None
        with ExitStack() as ends:
            ends.enter_context(load.room(folder))
            ends.callback(shutil.rmtree, folder, ignore_errors=True)  # it is in the repository still
            size, digest = self._files.fetch(kept.id, path, time)
            if name := self._beside(kept):
                beside = folder / "beside" / PurePosixPath(name).name
                size += self._files.storage.fetch(name, beside)
            fetched = Part("fetch", clock.since(begin), size)
            restored, said = loaded(path, beside, place, self._backup, commands=self._commands, time=time)
        of = "the file" if kept.facts.get("kind") != "directory" else "the SHA-256 of its files, by name"
        return Brought([fetched, restored], said, digest=digest, digest_of=of)

    def _beside(self, kept: Kept) -> str:
        """A script of a cluster brings its own roles."""
        return "" if kept.facts.get("kind") == "cluster" else self._files.globals_of(kept.id)

    def _contents(self, kept: Kept) -> Script:
        """Errors: `Unable` where it cannot be known before."""
        if kept.facts.get("kind") not in ARCHIVES:
            if kept.stored > LARGEST:
                raise Unable(f"{kept.id} is large, and all of it would have to be read", hint="restore it")
            return self._files.script(kept.id)
        with self._files.temporary() as folder:
            for length in IN_FIRST:
                try:
                    return self._listed(kept, folder, length)
                except (DrillError, NoHeader):
                    continue
        raise Unable(f"the table of contents of {kept.id} cannot be read", hint="restore it")

    def _listed(self, kept: Kept, folder: Path, length: int) -> Script:
        """What pg_restore makes of an archive's beginning, as a script without rows."""
        inside = load.TOC if kept.facts["kind"] == "directory" else ""
        name = f"{kept.id}/{inside}" if inside else kept.id
        at = folder / "dump"
        (at / inside).parent.mkdir(exist_ok=True)
        (at / inside).write_bytes(self._files.beginning(name, length))
        words = self._programs.words("pg_restore", version=kept.version, reads=[at], writes=[folder])
        listed = folder / "contents.sql"
        restored = [*words, "--create", "--schema-only", f"--file={listed}", str(at)]
        self._commands.run(restored, within=LOOK, env=load.ENGLISH, quiet=True)
        with listed.open("rb") as lines:
            script = read_script(lines)
        toc = self._commands.run([*words, "--list", str(at)], within=LOOK, env=load.ENGLISH, quiet=True).out
        script.named.update(LARGE_OBJECT.findall(toc))
        return script


def loaded(
    path: Path, beside: Path | None, place: Place, backup: Backup, *, commands: Commands, time: load.Time
) -> tuple[Part, list[str]]:
    """Load a dump that was brought, after the globals that lay beside it; and every line of what was wrong."""
    begin = clock.mono()
    dump = load.read_dump(path, commands, time)
    roles = load.read_dump(beside, commands, time) if beside else None
    name = backup.names[0] if backup.names else load.UNNAMED
    size = sum(each.stat().st_size for each in (dump.path.rglob("*") if dump.path.is_dir() else [dump.path]))
    said = load.load(dump, place, name=name, roles=roles, recorder=commands.recorder, time=time)
    return Part("restore", clock.since(begin), size), said
