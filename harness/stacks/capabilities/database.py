"""The database: its servers, who leads, how it is asked, and how it is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.stacks import Component, Condition
from harness.stacks.capabilities.components import Asked, Killable, Logged, Startable
from harness.system.clock import Moment
from harness.system.command import Done

if TYPE_CHECKING:  # the platform's API lies below this package, and has to be first to import its database driver
    import psycopg


class Member(Component, Asked, Killable, Logged, Startable, Protocol):
    """One database server of the cluster."""


@runtime_checkable
class OnVolume(Protocol):
    """A database server whose data lies on a volume of its own, which can be lost."""

    def has_data(self) -> bool:
        """Whether there is a data directory on its volume."""

    def lose_volume(self) -> None:
        """For faults only: remove the volume with all that is on it; the server is killed already."""

    def renew_volume(self) -> None:
        """For faults only: give it an empty volume; harmless where it has one."""


@runtime_checkable
class Fillable(Protocol):
    """A database server whose volume can be made to take no more."""

    def fill_volume(self) -> Moment | None:
        """From now on nothing that it writes can grow. Harmless when repeated."""

    def free_volume(self) -> Moment | None:
        """Give it room again; harmless where it has room."""

    def volume_is_full(self) -> bool: ...


@runtime_checkable
class LogReadable(Protocol):
    """A database server whose own log, and whose write-ahead log, can be read as text."""

    @property
    def database_log(self) -> Path:
        """The server's own log; it does not lie on the data volume."""

    def read_wal(self, *words: str, segments: Sequence[str], restore_command: str) -> Done:
        """`pg_waldump` with these words over these segments, in order, read as one log; any exit code.

        The last one names the timeline; earlier ones may be of the timelines that it descends from. What the member
        has no more is fetched by `restore_command`; where that fails, what it said is returned.
        """


@runtime_checkable
class Cluster(Protocol):
    """The database cluster, and who leads it."""

    @property
    def members(self) -> Sequence[Member]: ...
    def leader(self) -> Member | None: ...

    def healthy(self) -> list[Condition]:
        """A leader, and every other member streams from it synchronously or as quorum."""


@runtime_checkable
class Coordinated(Protocol):
    """A cluster whose leader is chosen by a consensus store."""

    def store(self, zone: str) -> Component:
        """The member of the store that stands in a zone."""


@runtime_checkable
class Queried(Protocol):
    """A database that can be asked in its own language."""

    def connect(self, member: Member | None = None) -> psycopg.Connection[Any]:
        """As the operators' superuser, autocommit; to the leader unless a member is named."""

    def connect_as(self, role: str) -> psycopg.Connection[Any]:
        """To the leader, autocommit, as another role of the platform (`operator`, say)."""


@runtime_checkable
class Verified(Protocol):
    """A database whose pages and structure can be checked."""

    def verify_pages(self) -> str:
        """`pg_checksums --check` on the stopped database; returns what it counted. Errors: `CommandFailed`."""

    def verify_structure(self) -> str:
        """`pg_amcheck` on the running database, heap and indexes; returns what it said. Errors: `CommandFailed`."""


class RestoreTarget(Startable, Logged, Verified, Protocol):
    """An empty place into which a database is restored: a directory and a server of its own; it serves nobody."""

    data: Path  # as the backup tool sees it that writes there; not for procedures
    zone: str

    def recover(self, *, restore_command: str, target: Mapping[str, str]) -> None:
        """Write recovery.signal and the settings, and start.

        `target` holds PostgreSQL's own settings, such as
        `{"recovery_target_xid": "812", "recovery_target_inclusive": "off"}`; empty means: as far as the archive goes.
        """

    def recovered(self) -> bool:
        """Whether recovery has ended and the database takes writes.

        Errors: `DrillError` when PostgreSQL ended, with its last log lines.
        """

    def connect(self) -> psycopg.Connection[Any]: ...

    def size(self) -> int:
        """Bytes of the files in it."""


@runtime_checkable
class Restorable(Protocol):
    """A cluster that a restored database can be put in service of."""

    def stop(self) -> None:
        """Stop all members, the cluster manager too."""

    def restore_target(self, zone: str) -> RestoreTarget: ...

    def adopt(self, place: RestoreTarget) -> Member:
        """Put the stopped place's data directory in service as the leader; the cluster must be stopped.

        What was on the members' volumes is moved aside into the stack's folder, the old cluster state is forgotten,
        and the other members are cloned anew in the background. Returns when the leader takes writes.
        """
