"""The database: its servers, who leads, how it is asked, and how it is restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

from harness.stacks import Component, Condition
from harness.stacks.capabilities.components import Asked, Killable, Logged, Startable
from harness.system.clock import Moment
from harness.system.command import Done


class Connection(Protocol):
    """What a database's driver gives: asked in the database's own language."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None:
        """Closes it."""

    def execute(self, query: Any, params: Any = None) -> Any: ...
    def close(self) -> None: ...


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
    def refused_write(self) -> str:
        """What the server says to a request that has to write, of one line; empty where it does not refuse."""


FilesLost = Literal["control file", "log of changes"]


@runtime_checkable
class Losable(Protocol):
    """For faults only: a database server that can lose files of its own while it runs."""

    def lose_files(self, which: FilesLost) -> Moment | None:
        """They go from its volume, lie beside it then, and the server is made to need them. Harmless when repeated."""

    def files_lost(self, which: FilesLost) -> str:
        """What of them is not as it was, in words; empty where they are back, or all of its data was made anew."""

    def return_files(self, which: FilesLost) -> Moment | None:
        """Put them back; harmless where none are lost, or all of its data was made anew."""


@runtime_checkable
class LogReadable(Protocol):
    """A database server whose own log, and whose record of all changes, can be read as text."""

    @property
    def database_log(self) -> Path:
        """The server's own log; it does not lie on the data volume."""

    def read_changes(self, *words: str, files: Sequence[str], fetch: str) -> Done:
        """What the database's own reader says, with these words, over these files of the archive; any exit code.

        The last one names the history; earlier ones may be of those that it descends from. What the member has no more
        is fetched by the command `fetch`; where that fails, what it said is returned.
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
class Fenced(Protocol):
    """A database cluster that can be asked who may write: for whoever lets a server back that others could not reach.

    A server is named by its component's name.
    """

    def holder(self) -> str:
        """Who leads, as the store says by which the cluster agrees on it; empty where nobody does.

        Errors: `DrillError` where it cannot be asked: then nobody knows whether another was promoted.
        """

    def writable(self, name: str) -> bool | None:
        """Whether the server takes writes, asked beside it, so that no cut hides it; None where nobody can say."""

    def comes_back_as_copy(self, name: str) -> str:
        """Why it is not sure that the server, once others reach it, leads only where the store lets it; empty where it
        is: what manages it obeys the store, or will when it is started."""


@runtime_checkable
class Coordinated(Protocol):
    """A cluster whose leader is chosen by a consensus store."""

    def store(self, zone: str) -> Component:
        """The member of the store that stands in a zone. Errors: `Refused` where none does."""


@runtime_checkable
class Connected(Protocol):
    """A database that can be read in its own language, by whoever may read all of it."""

    def connect(self, member: Member | None = None) -> Connection:
        """Each statement by itself; to the leader unless a member is named.

        Errors: `NotReady` where nobody leads, and what the database's driver raises, as for all that it is asked then.
        """


@runtime_checkable
class Queried(Protocol):
    """A database that can be asked in its own language, and changed as who runs it, and others, may."""

    def connect(self, member: Member | None = None) -> Connection:
        """As who runs the database, each statement by itself; to the leader unless a member is named.

        Errors: `NotReady` where nobody leads, and what the database's driver raises, as for all that it is asked then.
        """

    def run_as(self, person: str, statements: Sequence[str]) -> Moment | None:
        """One transaction on the leader, by another who may use it (`operator`, say). Returns when it took effect."""

    def answers(self, member: Member, sizes: Sequence[int]) -> list[float]:
        """Seconds of an answer of so many bytes each, one after the other; of fewer, where one was not given."""


@runtime_checkable
class Standby(Protocol):
    """A database cluster that can follow that of another region as a whole, and be promoted to lead by itself.

    Positions are bytes; a log that is handed over segment by segment makes them jump, so lag is an age, and no size.
    """

    @property
    def addresses(self) -> Sequence[str]:
        """Of its servers: for another region that is to follow it."""

    def follows(self) -> str:
        """The region, or else the addresses, that it follows; empty where it leads by itself.

        Errors: `DrillError` where its consensus store cannot be asked.
        """

    def follow(self, upstream: Sequence[str]) -> str:
        """Make it follow the cluster at these addresses. Where it runs, it is demoted as planned, without a loss.

        Where all of its servers are down, it is made so before any of them is started: nobody starts them here. What a
        server has that has led, or whose history parted from the upstream's, is put aside, and the server is cloned
        anew once it is started. Returns in words what was done.
        Errors: `Refused` where both lead, or the servers are down and the upstream does not lead, or only some are
        down; `NotInTime`.
        """

    def promote(self) -> Moment | None:
        """From the order until a transaction was committed; harmless where it leads.

        Errors: `NotReady`, `NotInTime`.
        """

    def received(self) -> int:
        """The last position that any of its servers has from the upstream. Errors: `NotReady` where none answers."""

    def received_whole(self) -> int:
        """The same without the beginning of a record whose rest never came, as its writer died: nobody can replay it.

        Errors: as `received`.
        """

    def replayed(self) -> int:
        """The last position that any of its servers has replayed. Errors: as `received`."""

    def receives(self) -> bool:
        """Whether any of its servers still streams from the upstream."""

    def parted(self) -> int:
        """The position at which the history that it leads on left the one before: up to there it has all of that.

        Errors: `NotReady` where it does not lead.
        """

    def replay_age(self) -> timedelta | None:
        """The age of the newest transaction that it has replayed; None where there is none, or none answers."""

    def standing_by(self) -> list[Condition]:
        """It follows, each of its servers streams."""

    def goes_on(self, upstream: Sequence[str]) -> bool:
        """Whether what each of its servers has is a beginning of what the cluster at these addresses has written.

        Errors: `Refused` where that does not lead.
        """


@runtime_checkable
class Delayable(Protocol):
    """For faults only: a cluster that follows another region, and can be made to hold back what it receives."""

    def hold_replay(self) -> None:
        """Returns once each of its servers does: it receives, and replays no commit. Harmless when repeated.

        Errors: `NotReady`, `NotInTime`.
        """

    def release_replay(self) -> None:
        """Returns once none of its servers does; harmless where none did. Errors: as `hold_replay`."""

    def holds_replay(self) -> list[str]:
        """The names of those that do. Errors: `NotReady` where one cannot be asked."""

    def give_to_replay(self) -> None:
        """Have the region that it follows commit something of no consequence; harmless where nobody leads there."""


@runtime_checkable
class Positioned(Protocol):
    """A database that says how far it has written: a position, which only grows in one history of it."""

    words: Mapping[str, str]  # what its keepers call a `position`, a `history` and several `histories`

    def positions(self) -> Positions:
        """For a look at the leader's again and again."""

    def history(self, member: Member) -> int:
        """On which history a member is: a greater one is newer. Errors: what the database's driver raises."""

    def hand_over(self) -> int:
        """Have the leader hand over to the archive what it has written, up to the position that is returned."""


class Positions(Protocol):
    """One open look at where the leader is."""

    def now(self) -> int:
        """Errors: what the database's driver raises; `NotReady` without a leader."""

    def close(self) -> None:
        """Harmless when repeated; the next look opens it again."""


@runtime_checkable
class Guarded(Protocol):
    """A database whose users come in by passwords, which can be made to be no longer valid."""

    def valid_until(self, user: str) -> str | None:
        """Until when the user's password is valid, as the database writes it; None: for ever. Errors: `Refused`."""

    def expire(self, user: str) -> Moment | None:
        """No longer valid, and all sessions of the user are ended: returns from when to when that took effect."""

    def renew(self, user: str, until: str | None) -> Moment | None:
        """Valid as it was; harmless where it has not expired."""

    def refusal(self, user: str) -> str:
        """What the database says to the user where it refuses the password; empty where it lets the user in.

        Errors: `NotReady`, `OSError` where the database is away.
        """


@runtime_checkable
class Verified(Protocol):
    """A database whose pages and structure can be checked: a restored one, or a server of the cluster by itself."""

    def verify_pages(self) -> str:
        """Every page as it lies on the disk; returns what was found. A restored database has to be stopped for it, a
        server of the cluster to run. Errors: `DrillError`, also where pages have no checksums: that is never sound."""

    def verify_structure(self) -> str:
        """Every table and index of the running database; returns what it said. Errors: `DrillError`, also where
        nothing was looked at."""


class RestoreTarget(Startable, Logged, Verified, Protocol):
    """An empty place into which a database is restored: a directory and a server of its own; it serves nobody."""

    data: Path  # as the backup tool sees it that writes there; not for procedures
    zone: str

    def recover(self, *, fetch: str, target: Mapping[str, str]) -> None:
        """Start it so that it recovers, with the command `fetch` for files of the archive.

        `target` holds the database's own settings of where to stop; empty means: as far as the archive goes.
        """

    def recovered(self) -> bool:
        """Whether recovery has ended and the database takes writes.

        Errors: `DrillError` when the server ended, with its last log lines.
        """

    def connect(self) -> Connection: ...

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

        What was on the members' volumes is moved aside until the next time, the old cluster state is forgotten,
        and the other members are cloned anew in the background. Returns when the leader takes writes.
        """


@runtime_checkable
class Switched(Protocol):
    """A cluster whose lead can be handed to one that is named."""

    def switch(self, to: Member) -> None:
        """Returns when it leads and takes writes; harmless where it does. Where nobody leads, it is promoted.

        Errors: `Refused` with the reason where the cluster does not let it lead; `NotInTime`.
        """


@runtime_checkable
class FailsOver(Protocol):
    """A cluster whose owner says how another server is made to lead: nothing does so by itself."""

    def fail_over(self, *, to: str = "") -> str:
        """Have another server lead, as the platform's owner does it; its name. Returns when it leads.

        Which one is named, or left to them. Errors: `Refused` with the reason, `NotReady`, `NotInTime`.
        """


@runtime_checkable
class Rejoins(Protocol):
    """A cluster whose owner says how a server that is down while another leads is made a copy of that."""

    def rejoin(self, name: str, *, say: Callable[[str], None]) -> bool:
        """Do it, and see it stream; False where it runs, or no other leads. Errors: `DrillError`: it is no copy."""


@runtime_checkable
class Claimed(Protocol):
    """A cluster of which each server says by itself whether it leads: then it is seen where two do."""

    def claims(self) -> Mapping[str, bool | None]:
        """By the server's name: whether it says that it leads. False also where it is known not to run, for what is
        dead leads nobody; None where nobody can say: silence is no word. Takes a second or two at most."""


@runtime_checkable
class Rebuilt(Protocol):
    """A cluster of which one server can be made anew from the one that leads."""

    def rebuild(self, member: Member) -> str:
        """All that it has is removed first, the lead excepted. Returns, in words, once it streams, what it has then.

        Errors: `Refused` where it leads; `NotInTime`.
        """
