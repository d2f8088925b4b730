"""A backup store as a drill needs it, whichever tool fills it: digests recorded when a backup is made, and compared.

Tools restore a backup with a flipped byte without a word, or say it too late. So the SHA-256 of every object of a base
backup is recorded beside it, under a prefix that the tool does not know, and compared before anything is restored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.errors import Refused
from harness.stacks.capabilities.backups import Backup, Damage
from harness.stacks.capabilities.database import RestoreTarget
from harness.stacks.parts import wal
from harness.stacks.parts.bucket import Bucket
from harness.system.clock import utc_text


@dataclass(frozen=True)
class Vault:
    """One bucket. Fills `ObjectStore`."""

    bucket: Bucket
    digests: str = "database-backups/digests"  # prefix
    aside: str = "drill-set-aside"  # prefix that no recovery reads

    # Base backups

    def seal(self, backup: Backup) -> None:
        """Record the facts of a backup that was just made, and the digest of every object of it."""
        digests = {key: self.bucket.sha256(key) for key in backup.objects}
        self.bucket.write(self._record_key(backup.id), record(backup, digests))

    def sealed(self) -> set[str]:
        """The ids of all backups that were ever recorded."""
        prefix = f"{self.digests}/base/"
        return {one.key.removeprefix(prefix).removesuffix(".json") for one in self.bucket.objects(prefix)}

    def backup(self, id: str) -> Backup | None:
        """A backup as it was recorded, whatever has become of its objects; None where it never was."""
        facts = recorded(self.bucket.find(self._record_key(id)))
        return from_record(facts) if facts else None

    def check(self, backup: Backup, *, prefix: str) -> list[Damage]:
        """Read every object of it and compare with the digests recorded. Its objects lie under `prefix`."""
        known = dict(recorded(self.bucket.find(self._record_key(backup.id))).get("sha256", {}))
        stored = {one.key for one in self.bucket.objects(prefix)}

        def damage(key: str) -> str:
            if key not in known:
                return "no digest recorded"
            if key not in stored:
                return "missing"
            return "" if self.bucket.sha256(key) == known[key] else "digest differs"

        keys = sorted(stored | set(known) | set(backup.objects))
        return [Damage(key, what) for key, what in zip(keys, map(damage, keys), strict=True) if what]

    def _record_key(self, id: str) -> str:
        return f"{self.digests}/base/{id}.json"

    # For faults

    def read(self, key: str) -> bytes:
        """What is stored at a key. Errors: `Refused` where nothing is."""
        return self.bucket.read(key)

    def size_of(self, key: str) -> int:
        """Bytes as stored; 0 where there is no such object."""
        stored = self.bucket.current(key)
        return stored.size if stored else 0

    def current_version(self, key: str) -> str:
        """Id of the version that a reader gets now; "" where there is none or it is deleted."""
        stored = self.bucket.current(key)
        return stored.version if stored else ""

    def damage(self, key: str, content: bytes | None, *, keep_versions: bool) -> str:
        """Put other bytes at a key, or delete it where `content` is None; returns the version that was current before.

        Where the earlier versions are destroyed too, what was current is set aside under a prefix that no recovery
        reads, so that the damage can be undone. Errors: `Refused` where nothing is stored.
        """
        before = self.current_version(key)
        if not before:
            raise Refused(f"no object {key} in bucket {self.bucket.name}", hint="list the backups and the archive")
        if not keep_versions:
            self.bucket.write(f"{self.aside}/{before}", self.bucket.read(key))
            for version in self.bucket.versions(key):
                self.bucket.delete(key, version=version.id)
        if content is not None:
            self.bucket.write(key, content)
        elif keep_versions:
            self.bucket.delete(key)
        return before

    def undo_damage(self, key: str, version: str) -> None:
        """Store again what `version` was; harmless where that is what is stored."""
        kept = any(one.id == version for one in self.bucket.versions(key))
        wanted = self.bucket.find(key, version=version) if kept else self.bucket.find(f"{self.aside}/{version}")
        if wanted is None:
            raise Refused(f"{key} has no version {version}", hint="heal with the version that the damage returned")
        if self.bucket.find(key) != wanted:
            self.bucket.write(key, wanted)


def must_be_empty(place: RestoreTarget) -> None:
    """Errors: `Refused` when anything is there."""
    if place.data.exists() and any(place.data.iterdir()):
        raise Refused(
            f"{place.data} is not empty: a backup is never restored over something",
            hint="make a new empty place, or move what is there aside",
        )


def record(backup: Backup, digests: Mapping[str, str]) -> bytes:
    """What is stored beside a backup: its facts and the SHA-256 of each of its objects."""
    facts = {
        "v": 1,
        "id": backup.id,
        "began": utc_text(backup.began),
        "ended": utc_text(backup.ended),
        "begin_segment": backup.first_file,
        "begin_lsn": wal.lsn(backup.begin),
        "end_lsn": wal.lsn(backup.end),
        "size": backup.size,
        "sha256": dict(digests),
    }
    return json.dumps(facts, indent=1).encode()


def recorded(content: bytes | None) -> dict[str, Any]:
    """A record that was read back; {} where there is none or it is not one."""
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("v") == 1 else {}


def from_record(facts: Mapping[str, Any]) -> Backup:
    return Backup(
        id=facts["id"],
        began=datetime.fromisoformat(facts["began"]),
        ended=datetime.fromisoformat(facts["ended"]),
        first_file=facts["begin_segment"],
        begin=wal.position(facts["begin_lsn"]),
        end=wal.position(facts["end_lsn"]),
        objects=tuple(sorted(facts["sha256"])),
        size=facts["size"],
    )
