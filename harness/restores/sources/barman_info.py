"""What Barman writes of each backup: a `backup.info` of lines `key=value`, the same for a folder and for the cloud."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from harness.errors import DrillError, NotReady, Refused, Unable
from harness.restores import Kept
from harness.restores.sources import archived
from harness.stacks.parts.wal import SEGMENT

DONE, WAITING = "DONE", "WAITING_FOR_WALS"
NONE = "None"  # how it writes that there is no value
STATES = {  # what each says against a backup
    "EMPTY": "was not begun",
    "STARTED": "has not ended, or was cut short",
    "FAILED": "has failed",
    WAITING: "had not, when Barman looked last, all of the archive that it needs",
    "SYNCING": "is being copied from another Barman",
}
ID = "%Y%m%dT%H%M%S"
TOLD = 5  # names


@dataclass(frozen=True)
class Tablespace:
    name: str
    oid: str


@dataclass(frozen=True)
class Info:
    """One file. A key that is missing, or has no value, reads as empty."""

    facts: Mapping[str, str]

    @classmethod
    def of(cls, content: bytes) -> Info:
        """Errors: `ValueError` where it is none; the words say why."""
        facts = {}
        for line in content.decode().splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            key, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f'"{line[:40]}" is no key=value')
            facts[key.strip()] = "" if value.strip() == NONE else value.strip()
        if not facts.get("status"):
            raise ValueError("it has no status")
        return cls(facts)

    def __getitem__(self, key: str) -> str:
        return self.facts.get(key, "")

    def number(self, key: str) -> int:
        """0 where there is none. Errors: `ValueError`."""
        return int(self[key] or 0)

    def time(self, key: str) -> datetime | None:
        """Errors: `ValueError`, also where it has no zone."""
        if not self[key]:
            return None
        try:
            found = datetime.fromisoformat(self[key])
        except ValueError:
            raise ValueError(f'{key} is "{self[key][:40]}", which is no time') from None
        if found.tzinfo is None:
            raise ValueError(f"{key} has no zone, so it is not known when that was")
        return found.astimezone(UTC)

    @property
    def segment(self) -> int:
        """Bytes of each piece of the archive."""
        return self.number("xlog_segment_size") or SEGMENT

    @property
    def version(self) -> int:
        """The major one; 9 for all that are older than 10."""
        return self.number("version") // 10000

    @cached_property
    def tablespaces(self) -> list[Tablespace]:
        """Errors: `ValueError`."""
        try:
            found = ast.literal_eval(self["tablespaces"] or "[]")
            return [Tablespace(str(name), str(int(oid))) for name, oid, _ in found]
        except (SyntaxError, TypeError, ValueError):
            raise ValueError("its tablespaces cannot be read") from None

    @property
    def label(self) -> str:
        """What belongs into the file backup_label. Errors: `ValueError`."""
        try:
            return str(ast.literal_eval(self["backup_label"])) if self["backup_label"] else ""
        except (SyntaxError, ValueError):
            raise ValueError("its backup_label cannot be read") from None

    @property
    def against(self) -> str:
        """What the catalogue itself has against the backup; empty where that is nothing."""
        status = self["status"]
        if status == DONE:
            return ""
        error = f": {self['error']}" if self["error"] else ""
        return f"its status is {status}: it {STATES.get(status, 'is in no state that is known')}{error}"


def described(id: str, content: bytes, *, stored: int) -> Kept:
    """From the bytes of a backup.info; one that cannot be read is listed with that against it.

    `stored`: bytes of it in the repository.
    """
    digest = hashlib.sha256(content).hexdigest()
    kept = Kept(
        id, ended=from_id(id), version=0, form="files", size=stored, stored=stored,
        digest=digest, digest_of="the catalogue's entry",
    )  # fmt: skip  # arguments in groups
    try:
        info = Info.of(content)
        began = info.time("begin_time")
        kept = replace(
            kept,
            began=began,
            ended=info.time("end_time") or began or kept.ended,
            version=info.version,
            size=max(info.number("cluster_size"), info.number("size")) or stored,
            stored=info.number("deduplicated_size") or stored,
            kind="incremental" if info["parent_backup_id"] else "full",
            system=info["systemid"],
            sound=info.against,
            facts={
                "first": info["begin_wal"],
                "last": info["end_wal"],
                "segment": str(info.segment),
                "bytes": str(info.number("size")),
            },
        )
        _ = info.tablespaces, info.label
    except ValueError as error:
        return against(kept, f"its backup.info cannot be read: {error}")
    if not info["begin_wal"] or not info["end_wal"] or not kept.version:
        kept = against(kept, "its backup.info does not say which pieces of the archive it needs, or of which version")
    return kept


def against(kept: Kept, words: str) -> Kept:
    """With one thing more against it."""
    return replace(kept, sound="; ".join(filter(None, (kept.sound, words))))


def from_id(id: str) -> datetime | None:
    """When a backup was begun, by its name, whose zone nobody wrote down: for one of which nothing else is known."""
    try:
        return datetime.strptime(id, ID).replace(tzinfo=UTC)
    except ValueError:
        return None


def in_order(kept: Kept) -> tuple[datetime, str]:
    """The oldest first; before it what nobody knows the time of."""
    return kept.ended or datetime.min.replace(tzinfo=UTC), kept.id


def whole(kept: Kept, content: bytes) -> Info:
    """Of a backup that is to be restored.

    Errors: `Refused` where its entry is not that of the catalogue; `DrillError` where that has something against it
    by which nobody can restore it.
    """
    if hashlib.sha256(content).hexdigest() != kept.digest:
        raise Refused(f"{kept.id}: its backup.info was changed meanwhile", hint="ask for the newest backup again")
    try:
        info = Info.of(content)
        _ = info.tablespaces, info.label
        if info["status"] in (DONE, WAITING) and kept.version and kept.facts.get("first"):
            return info
    except ValueError:
        pass  # the catalogue has said it
    raise DrillError(f"{kept.id} cannot be restored: {kept.sound}", hint="restore another backup")


def whole_chain(id: str, info: Info, entry: Callable[[str], bytes]) -> list[tuple[str, Info]]:
    """The backup with those that it stands on, the full one first. `entry`: the bytes of another one's backup.info.

    Errors: `DrillError` where one of them is not there or no use; `Unable` where drdrill cannot open one.
    """
    chain = [(id, info)]
    while parent := chain[0][1]["parent_backup_id"]:
        try:
            if any(parent == known for known, _ in chain):
                raise ValueError("it stands on itself")
            found = Info.of(entry(parent))
        except (NotReady, ValueError) as error:
            said = error.message if isinstance(error, NotReady) else str(error)
            raise DrillError(f"{id} stands on {parent}: {said}", hint="restore another backup") from None
        if found.against:
            raise DrillError(f"{id} stands on {parent}: {found.against}", hint="restore another backup")
        chain.insert(0, (parent, found))
    for one, its in chain:
        if its["encryption"]:
            raise Unable(f"{one} is encrypted", hint="drdrill opens nothing that Barman has encrypted")
        if its["mode"].startswith("snapshot"):
            raise Unable(f"{one} is a snapshot of disks", hint="restore it by its provider: tool: commands")
    return chain


def must_be_complete(kept: Kept, names: Collection[str]) -> None:
    """Errors: `DrillError` where pieces are not there without which it is not consistent."""
    if words := lacking(kept, names):
        raise DrillError(f"{kept.id} cannot be restored: {words}", hint="restore another backup; look at the archiving")


def lacking(kept: Kept, names: Collection[str]) -> str:
    """What is not in the archive of what the backup itself needs, in words; empty where that is nothing."""
    if not kept.facts.get("first"):
        return ""
    size = int(kept.facts["segment"])
    gone = archived.lacking(names, start=kept.facts["first"], stop=kept.facts["last"], size=size)
    return f"of the archive it needs {some(gone)}, and that is not there" if gone else ""


def some(names: Collection[str]) -> str:
    """`"A, B and 3 more"`."""
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return f"{', '.join(sorted(names)[:TOLD])}{more}"
