"""Backups, the archive, and the store that both lie in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.restores.described import Backups
    from harness.stacks.capabilities.database import RestoreTarget


@dataclass(frozen=True)
class Backup:
    """One base backup in the store."""

    id: str
    began: datetime
    ended: datetime
    first_file: str  # of the archive, by its name there, that a restoration needs
    begin: int  # position of the database
    end: int  # and where it was when the copy was whole
    objects: tuple[str, ...]  # keys in the store
    size: int  # bytes


@dataclass(frozen=True)
class Damage:
    """An object of the store that is not what was recorded when it was made."""

    key: str
    what: str  # "missing", "digest differs", "no digest recorded"


@dataclass(frozen=True)
class Branch:
    """Where one history of the database was left for the next one."""

    history: int
    until: int  # position


@dataclass(frozen=True)
class ArchivedFile:
    """One file of the archive: a piece of what was written, or what goes with it."""

    name: str  # by which the database asks for it
    key: str
    size: int
    damage: str  # "" when sound
    sound_version: str  # id of an earlier version of the object whose digest is right, "" where there is none
    written: bool  # whether it is a piece of what was written, in the order of their names
    past: tuple[Branch, ...] = ()  # of a file that tells what a history descends from, in its sound version


@dataclass(frozen=True)
class Replication:
    """What of the store the copy in the other region lacks."""

    missing: int  # objects, each version of one counted
    oldest: timedelta  # the age, at `seen`, of the oldest of them; zero where none is missing
    seen: datetime  # when the store was looked at: of what came after that, nothing is known


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

    def archive(self, *, since: str = "") -> list[ArchivedFile]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its digest."""

    def archived(self) -> int:
        """The position up to which everything is archived, from the store (not from the database)."""

    def restore_version(self, file: ArchivedFile) -> None:
        """Make the sound earlier version of a damaged object the current one."""

    def fetch_command(self, *, before: str = "") -> str:
        """For the database: fetches one file from the archive; nothing from the file `before` on, where given."""


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


@runtime_checkable
class Replicated(Protocol):
    """A store that is copied to another region."""

    def replicated(self) -> Replication:
        """From both stores; where the one that is copied is gone, as it was known last. Errors: `DrillError` where
        nothing can be said."""


@runtime_checkable
class Kept(Protocol):
    """Backups that somebody else's tool has made, each of which can be restored beside: nothing is hurt by that."""

    @property
    def described(self) -> Backups:
        """What the stack file says of them."""

    @property
    def values(self) -> Mapping[str, str]:
        """What `${…}` stands for in it: its secrets."""
