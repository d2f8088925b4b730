"""Objects of the backup store are damaged silently: a byte flips, or an object is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, ClassVar, Literal

from harness.errors import NotReady
from harness.faults import Undo
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, BaseBackups, Damageable, ObjectStore

Which = Literal["latest base backup", "every base backup", "archived file after the latest base backup"]


@dataclass(frozen=True)
class DamageStoredObject:
    """`keep_versions` False destroys the sound earlier versions too, as far as a recovery could find any: the store
    sets the last one aside for whoever heals."""

    which: Which
    how: Literal["flip a byte", "delete"]
    keep_versions: bool = True
    needs: ClassVar[tuple[Any, ...]] = (BaseBackups, Archive, ObjectStore, Damageable)
    name = "damage_stored_object"
    ttl = timedelta(minutes=15)
    harms_data = False  # of itself: customers notice nothing until something is restored
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        """The version of each object that is current now, what the archive calls it where it is of that, and the digest
        of what a reader gets."""
        names = self._names(stack)
        versions = {key: need(stack, ObjectStore).current_version(key) for key in names}
        called = {key: name for key, name in names.items() if name}
        return {"versions": versions, "names": called, "digests": {key: _digest(stack, key) for key in names}}

    def affects(self, undo: Undo) -> list[str]:
        return []

    def inject(self, stack: Stack, undo: Undo) -> None:
        for key in undo["versions"]:
            content: bytes | None = None
            if self.how == "flip a byte":
                changed = bytearray(need(stack, ObjectStore).read(key))
                changed[len(changed) // 2] ^= 0x01
                content = bytes(changed)
            need(stack, Damageable).damage(key, content, keep_versions=self.keep_versions)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        changed = [
            key for key, version in undo["versions"].items() if need(stack, ObjectStore).current_version(key) != version
        ]
        if len(changed) < len(undo["versions"]):
            return ""
        return f"changed in the store ({self.how}): {', '.join(changed)}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """Errors: `Refused` where the store has nothing sound left to go back to."""
        for key, version in undo["versions"].items():
            need(stack, Damageable).undo_damage(key, version)

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """A reader gets the very bytes that were there before: each is read whole."""
        wrong = [key for key, digest in undo["digests"].items() if _digest(stack, key) != digest]
        return f"not in the store as it was: {', '.join(wrong)}" if wrong else ""

    def _names(self, stack: Stack) -> dict[str, str]:
        """By key; empty for an object of a backup, which has no other name."""
        backups = need(stack, BaseBackups).backups()
        if not backups:
            raise NotReady("there is no base backup to damage", hint="read the backup's log")
        if self.which == "archived file after the latest base backup":
            archived = need(stack, Archive).archive(since=backups[-1].first_file)
            after = [file for file in archived if file.written]
            if len(after) < 3:  # the one the backup began in, one that customers wrote, and one to damage
                raise NotReady("too few files were archived after the backup", hint="read the archive's log")
            return {after[-1].key: after[-1].name}
        chosen = backups if self.which == "every base backup" else backups[-1:]
        return {_largest(stack, backup.objects): "" for backup in chosen}


def _digest(stack: Stack, key: str) -> str:
    """Of what a reader gets now; empty where nothing is stored."""
    store = need(stack, ObjectStore)
    return sha256(store.read(key)).hexdigest() if store.current_version(key) else ""


def _largest(stack: Stack, keys: tuple[str, ...]) -> str:
    """The object that holds the data, not the few lines that describe it."""
    return max(keys, key=need(stack, ObjectStore).size_of)
