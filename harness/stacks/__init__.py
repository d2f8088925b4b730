"""Where drills happen. The protocols that a kind of stack fills, on one page.

A drill, a fault and a procedure see only these; a new kind of stack, cluster or backup tool is one more folder or
file that fills them. An optional power is a protocol of its own, never a flag. A log is always a file that the harness
can read; where any other file lies is the stack's own business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.stacks.entrance import Entrance
from harness.stacks.powers import (
    Asked,
    Divisible,
    Fillable,
    Flappable,
    KilledTogether,
    Linked,
    Pausable,
    Powered,
    Slowable,
    Slowness,
    Unfenced,
)
from harness.stacks.wal import Branch
from harness.system.clock import Moment
from harness.system.command import Commands, Done

if TYPE_CHECKING:  # the platform's API lies below this package, and has to be first to import its database driver
    import psycopg

__all__ = [
    "Asked",
    "Divisible",
    "Entrance",
    "Fillable",
    "Flappable",
    "KilledTogether",
    "Linked",
    "Pausable",
    "Powered",
    "Slowable",
    "Slowness",
    "Unfenced",
]  # the entrance and the powers stand on pages of their own


@dataclass(frozen=True)
class Condition:
    """One thing that must hold for a stack to be steady, and what was seen."""

    name: str
    ok: bool
    seen: str


class Component(Protocol):
    """One process or container of a stack."""

    name: str
    zone: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> Moment | None:
        """SIGKILL it and all it has started. Returns when it died, where that is known more exactly than by the call
        and its return."""

    def running(self) -> bool: ...

    @property
    def log(self) -> Path: ...


class Member(Component, Protocol):
    """One database server of the cluster, with the volume its data lies on."""

    def has_data(self) -> bool:
        """Whether there is a data directory on its volume."""

    def lose_volume(self) -> None:
        """For faults only: remove the volume with all that is on it; the server is killed already."""

    def renew_volume(self) -> None:
        """For faults only: give it an empty volume; harmless where it has one."""

    @property
    def database_log(self) -> Path:
        """PostgreSQL's own log; it does not lie on the data volume."""

    @property
    def dsn(self) -> str: ...

    def read_wal(self, *words: str, segments: Sequence[str], restore_command: str) -> Done:
        """`pg_waldump` with these words over these segments, in order, read as one log; any exit code.

        The last one names the timeline; earlier ones may be of the timelines that it descends from. What the member
        has no more is fetched by `restore_command`; where that fails, what it said is returned.
        """


class RestoreTarget(Protocol):
    """An empty place into which a database is restored: a directory and a PostgreSQL of its own; it serves nobody."""

    data: Path  # as the backup tool sees it that writes there; not for procedures
    zone: str

    def recover(self, *, restore_command: str, target: Mapping[str, str]) -> None:
        """Write recovery.signal and the settings, and start.

        `target` holds PostgreSQL's own settings, such as
        `{"recovery_target_xid": "812", "recovery_target_inclusive": "off"}`; empty means: as far as the archive goes.
        """

    def size(self) -> int:
        """Bytes of the files in it."""

    def recovered(self) -> bool:
        """Whether recovery has ended and the database takes writes.

        Errors: `DrillError` when PostgreSQL ended, with its last log lines.
        """

    def connect(self) -> psycopg.Connection[Any]: ...
    def stop(self) -> None:
        """A clean stop (fast shutdown, checkpoint written)."""

    def start(self) -> None: ...
    def verify_pages(self) -> str:
        """`pg_checksums --check` on the stopped database; returns what it counted. Errors: `CommandFailed`."""

    def verify_structure(self) -> str:
        """`pg_amcheck` on the running database, heap and indexes; returns what it said. Errors: `CommandFailed`."""

    @property
    def log(self) -> Path: ...


class Cluster(Protocol):
    """The database cluster: who leads, and how a restored database is put in service."""

    members: Sequence[Member]

    def leader(self) -> Member | None: ...
    def connect(self, member: Member | None = None) -> psycopg.Connection[Any]:
        """As the operators' superuser, autocommit; to the leader unless a member is named."""

    def connect_as(self, role: str) -> psycopg.Connection[Any]:
        """To the leader, autocommit, as another role of the platform (`operator`, say)."""

    def healthy(self) -> list[Condition]:
        """A leader, and every other member streams from it synchronously or as quorum."""

    def stop(self) -> None:
        """Stop all members, the cluster manager too."""

    def restore_target(self, zone: str) -> RestoreTarget: ...
    def adopt(self, place: RestoreTarget) -> Member:
        """Put the stopped place's data directory in service as the leader; the cluster must be stopped.

        What was on the members' volumes is moved aside into the stack's folder, the old cluster state is forgotten,
        and the other members are cloned anew in the background. Returns when the leader takes writes.
        """


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


class Backups(Protocol):
    """A backup tool: base backups and the WAL archive."""

    def take(self) -> Backup:
        """Make a base backup and record the digest of every object of it. Returns when both are stored."""

    def backups(self) -> list[Backup]:
        """Oldest first. From the store alone."""

    def check(self, backup: Backup) -> list[Damage]:
        """Read every object of it and compare with the digests recorded."""

    def archive(self, *, since: str = "") -> list[ArchivedSegment]:
        """Every file of the archive in order of name, from `since` on, each read and compared with its digest."""

    def restore_version(self, segment: ArchivedSegment) -> None:
        """Make the sound earlier version of a damaged object the current one."""

    def restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Bring the base backup into the empty place. Errors: `Refused` when the place is not empty."""

    def restore_command(self, *, before: str = "") -> str:
        """For postgresql: fetches one WAL file from the archive; nothing from segment `before` on, where given.

        It may leave what it fetched ahead in the folder that it runs in, under `fetched_wal`.
        """

    def archived(self) -> str:
        """The LSN up to which everything is archived, as `X/Y`, from the store (not from the database)."""


class ObjectStore(Protocol):
    """What the backups lie in, object by object: for faults, and for reports of what they did."""

    def read(self, key: str) -> bytes:
        """What is stored at a key. Errors: `Refused` where nothing is."""

    def size_of(self, key: str) -> int:
        """Bytes as stored; 0 where there is no such object."""

    def current_version(self, key: str) -> str:
        """Id of the version that a reader gets now; empty where there is none or it is deleted."""

    def damage(self, key: str, content: bytes | None, *, keep_versions: bool) -> str:
        """Put other bytes at a key, or delete it where `content` is None.

        Returns the id of the version that was current before. `keep_versions` False destroys the earlier versions too.
        """

    def undo_damage(self, key: str, version: str) -> None:
        """Make `version` current again; harmless where it is already."""


@dataclass(frozen=True)
class Alert:
    """What the platform's monitoring told operations, as it came in at the alert receiver."""

    received: int  # nanoseconds of the monotonic clock, when the receiver had it
    starts: str  # UTC, by the monitoring's own clock
    name: str  # of the rule, "ServerDown"
    state: Literal["firing", "resolved"]
    component: str  # what it says has failed, by the stack's name for it; empty where it names none
    zone: str  # where it says that is; empty where it names none
    region: str  # and in which region; empty where it names none
    summary: str  # for people
    fingerprint: str  # the same for every word about one alert, another for each other one, also of the same name


@dataclass(frozen=True)
class Truncated:
    """A notification of the monitoring did not carry all of its alerts: operations were not told of the others."""

    received: int  # nanoseconds of the monotonic clock, when the receiver had it
    group: str  # of alerts that are told together
    count: int  # how many were left out; 0: the group was told whole again


class Monitoring(Protocol):
    """What watches the platform, and the receiver that its alerts go to: a webhook that it knows, or plain JSON."""

    by: str  # what watches, for people

    def alerts(self) -> list[Alert]:
        """All that the receiver has had so far, in order."""

    def truncated(self) -> list[Truncated]:
        """Each time that a notification left alerts out, and that its group was told whole again, in order."""

    def condition(self) -> Condition:
        """Whether everything is watched, and whether an alert would arrive."""

    def lose_receiver(self) -> None:
        """For sabotage only: from now on no alert arrives, and nobody is told so."""


class Releases(Protocol):
    """The releases of the platform's API."""

    def current(self) -> str:
        """The one that is deployed."""

    def history(self) -> list[str]:
        """What was deployed, one after the other; the last one is `current`."""

    def publish(self, name: str, content: Mapping[str, Any]) -> None:
        """Put a release where zones find it; nothing runs it yet. Harmless when repeated."""

    def content(self, name: str) -> Mapping[str, Any]: ...
    def deploy(self, name: str) -> Moment | None:
        """Restart the API of every zone with it, all at once. Whether they then serve is not waited for.

        Returns when what ran before ended: from the first that was asked to, to the last."""


class Stack(Protocol):
    """A running platform that a drill hurts."""

    kind: str  # local, docker, staging
    environment: str  # embedded, containers, staging, production
    region: str  # where its zones are
    zones: Sequence[str]
    folder: Path
    commands: Commands
    entrance: Entrance
    cluster: Cluster
    backups: Backups
    store: ObjectStore
    balancers: Sequence[Component]  # in the order in which customers try them, where the name stands for all of them
    releases: Releases
    monitoring: Monitoring

    def start(self) -> None: ...
    def stop(self) -> None:
        """End everything and remove it; harmless when nothing runs."""

    def stand_outside(self) -> list[str]:
        """The words to put before a command so that it runs where customers outside of all zones stand."""

    def stand_in(self, zone: str) -> list[str]:
        """The words to put before a command so that it runs where a customer of that zone stands."""

    def zone_entrance(self, zone: str) -> Entrance:
        """The zone's own API, as customers of the zone reach it, also while the zone is cut off."""

    def balancer_entrance(self, name: str) -> Entrance:
        """One load balancer alone, whatever the name stands for."""

    def zone_database(self, zone: str) -> tuple[str, dict[str, str]]:
        """DSN of the zone's own database server for the platform's API role, and the environment with its password."""

    def service(self, zone: str) -> Component:
        """The platform's API in a zone."""

    def components(self) -> Mapping[str, Component]:
        """Every component, by its name."""

    def steady(self) -> list[Condition]:
        """Serves, replicates, archives: each shown by a real request or query, each condition listed."""

    def stall_archiving(self) -> None:
        """For sabotage only: from now on archiving takes longer than any drill."""

    def parts(self) -> dict[str, str]:
        """What it is made of, with versions."""

    def logs(self) -> dict[str, Path]:
        """Component name to its log."""

    def explore(self) -> dict[str, Any]:
        """For people who look around: `addresses`, `dsn`, `psql`, `curl`, and the `environment` these want."""

    @property
    def secrets(self) -> Sequence[str]:
        """Passwords of this stack: they must not reach a pack."""
