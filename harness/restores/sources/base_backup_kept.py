"""What the catalogue says of a base backup: read from the backup itself, for there is no other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from harness.errors import DrillError, NotReady
from harness.restores import Kept
from harness.restores.sources import archived, tars
from harness.restores.sources.base_backup_files import (
    CONTROL,
    LABEL,
    MANIFEST,
    VERSION,
    Label,
    Layout,
    Manifest,
    Piece,
    control_system,
    label,
    manifest,
    piece,
    version_of,
)
from harness.restores.sources.base_backup_made import links
from harness.restores.sources.storage import Storage
from harness.stacks.parts.wal import SEGMENT, is_segment
from harness.system.command import Commands

READ_WITHIN = timedelta(minutes=30)  # where only the whole of an archive says of which version it is
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)  # of what does not say when it was taken: it is never the newest


class Reader:
    """`archive`: its segments, to the names of their files."""

    def __init__(self, storage: Storage, commands: Commands, archive: Mapping[str, str]) -> None:
        self._storage = storage
        self._commands = commands
        self._archive = archive

    def kept(self, layout: Layout) -> Kept:
        """Errors: `NotReady` where the repository cannot be read. What is wrong with the backup itself is in `sound`"""
        wrong: list[str] = []
        try:
            text = self._label(layout)
        except tars.Damaged as error:
            text = b""
            wrong.append(error.message)
        said = label(text.decode(errors="replace"))
        if said is None and not wrong:
            wrong.append(f"it has no {LABEL} that says when it began")
        listed = self._manifest(layout)
        if listed and listed.sound:
            wrong.append(listed.sound)
        if f"{MANIFEST}.tmp" in layout.files:
            wrong.append("it was not finished: its manifest is a temporary one")
        begins = self._piece(layout, said)
        system, version = self._system(layout, listed, begins), self._version(layout, begins)
        if listed and listed.system and system != listed.system:
            wrong.append(f"its manifest is of the system {listed.system}, its files are of {system}")
        if not version:
            wrong.append("nothing says of which version of PostgreSQL it is")
        stored = sum(layout.files.values())
        newest = [moment for moment in (said and said.began, listed and listed.newest) if moment]
        return Kept(
            id=layout.id,
            began=said.began if said else None,
            ended=max(newest, default=UNKNOWN),
            version=version,
            form="files",
            size=listed.size if listed and listed.size else stored,
            stored=stored,
            digest=listed.digest if listed else hashlib.sha256(text).hexdigest(),
            digest_of="the manifest" if listed else "the label: it has no manifest that its files are compared with",
            kind="incremental" if said and said.after else "full",
            system=system,
            sound="; ".join(wrong),
            facts=_facts(layout, said, listed, begins) | {"spaces": " ".join(self._spaces(layout))},
        )

    def _label(self, layout: Layout) -> bytes:
        if not layout.base:
            return self._storage.read(layout.at + LABEL) if LABEL in layout.files else b""
        head = tars.beginning(self._storage, layout.base, commands=self._commands)
        return next((content for name, content in tars.members(head) if name == LABEL), b"")

    def _manifest(self, layout: Layout) -> Manifest | None:
        if MANIFEST not in layout.files:
            return None
        with self._storage.open(layout.at + MANIFEST) as source:
            return manifest(source)

    def _piece(self, layout: Layout, said: Label | None) -> Piece | None:
        """The beginning of a segment that goes with it."""
        if tar := layout.tar("pg_wal"):
            try:
                head = tars.beginning(self._storage, tar, commands=self._commands)
            except tars.Damaged:
                return None
            return next((piece(content) for name, content in tars.members(head) if is_segment(name)), None)
        inside = sorted(name for name in layout.files if name.startswith("pg_wal/") and is_segment(name[7:]))
        if inside:
            return piece(self._storage.part(layout.at + inside[0], SEGMENT >> 10))
        if said and (name := self._archive.get(said.first)):
            try:
                return piece(tars.beginning(self._storage, name, commands=self._commands))
            except tars.Damaged:
                return None
        return None

    def _system(self, layout: Layout, listed: Manifest | None, begins: Piece | None) -> str:
        if not layout.base and CONTROL in layout.files:
            return control_system(self._storage.part(layout.at + CONTROL, 8))
        return (listed.system if listed else "") or (begins.system if begins else "")

    def _spaces(self, layout: Layout) -> list[str]:
        linked = {name.rpartition("/")[2] for name in links(self._storage, layout) if name.startswith("pg_tblspc/")}
        return sorted(linked | set(layout.oids))

    def _version(self, layout: Layout, begins: Piece | None) -> int:
        if not layout.base:
            return version_of(self._storage.read(layout.at + VERSION))
        if begins and begins.version:
            return begins.version
        try:
            found = tars.find(self._storage, layout.base, VERSION, commands=self._commands, within=READ_WITHIN)
        except NotReady:
            raise
        except DrillError:
            return 0
        return version_of(found)


def _facts(layout: Layout, said: Label | None, listed: Manifest | None, begins: Piece | None) -> dict[str, str]:
    size = begins.size if begins else archived.size_of({said.first: said.lsn} if said else {})
    return {
        "first": said.first if said else "",
        "start": said.lsn if said else "",
        "after": said.after if said else "",
        "stop": listed.stop if listed else "",
        "segment": str(size),
        "manifest": "yes" if listed else "",
    }
