"""Backups, the archive, and the store that both lie in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness.stacks.wal import Branch

if TYPE_CHECKING:
    from harness.stacks.capabilities.database import RestoreTarget


@dataclass(frozen=True)
class Backup:
    """One base backup in the store."""

    id: str
    began: datetime
    ended: datetime
    begin_segment: str  # first WAL segment it needs
    begin_lsn: str
    end_lsn: str
    objects: tuple[str, ...]  # keys in the bucket
    size: int  # bytes


@dataclass(frozen=True)
class Damage:
    """An object of the store that is not what was recorded when it was made."""

    key: str
    what: str  # "missing", "digest differs", "no digest recorded"


@dataclass(frozen=True)
class ArchivedSegment:
    """One WAL segment, history or backup-label file in the archive."""

    name: str
    key: str
    size: int
    damage: str  # "" when sound
    sound_version: str  # id of an earlier version of the object whose digest is right, "" where there is none
    past: tuple[Branch, ...] = ()  # what a history file says, in its sound version


@runtime_checkable
class BaseBackups(Protocol):
    """Whole copies of the database."""

    def take(self) -> Backup:
        """Make a base backup and record the digest of every object of it. Returns when both are stored."""

    def backups(self) -> list[Backup]:
        """Oldest first. From the store alone."""

    def check(self, backup: Backup) -> list[Damage]:
        """Read every object of it and compare with the digests recorded."""

    def restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Bring the base backup into the empty place. Errors: `Refused` when the place is not empty."""


@runtime_checkable
class Archive(Protocol):
    """What was written since, piece by piece: with a base backup it leads to any later moment."""

    def archive(self, *, since: str = "") -> list[ArchivedSegment]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its digest."""

    def archived(self) -> str:
        """The LSN up to which everything is archived, as `X/Y`, from the store (not from the database)."""

    def restore_version(self, segment: ArchivedSegment) -> None:
        """Make the sound earlier version of a damaged object the current one."""

    def restore_command(self, *, before: str = "") -> str:
        """For postgresql: fetches one WAL file from the archive; nothing from segment `before` on, where given.

        It may leave what it fetched ahead in the folder that it runs in, under `fetched_wal`.
        """


@runtime_checkable
class ObjectStore(Protocol):
    """What the backups lie in, object by object."""

    def read(self, key: str) -> bytes:
        """What is stored at a key. Errors: `Refused` where nothing is."""

    def size_of(self, key: str) -> int:
        """Bytes as stored; 0 where there is no such object."""

    def current_version(self, key: str) -> str:
        """Id of the version that a reader gets now; empty where there is none or it is deleted."""


@runtime_checkable
class Damageable(Protocol):
    """A store whose objects can be damaged, and made whole again."""

    def damage(self, key: str, content: bytes | None, *, keep_versions: bool) -> str:
        """Put other bytes at a key, or delete it where `content` is None.

        Returns the id of the version that was current before. `keep_versions` False destroys the earlier versions too.
        """

    def undo_damage(self, key: str, version: str) -> None:
        """Make `version` current again; harmless where it is already."""
