"""Optional powers of a stack, a component or a database server: each a protocol of its own, never a flag.

A fault asks with `isinstance` whether its stack has the power. One that a kind has, and this machine has not, is
`Unable`, with the reason and what would lift it.

A verb that takes effect in one act, and knows when more exactly than by its call and its return, says so (`Moment`):
no sooner than `earliest` anything of it, and no later than `latest` all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable

from harness.system.clock import Moment

MONITORING, DATABASE = "monitoring", "database"  # whose clocks stamp what comes into the journal


@runtime_checkable
class KilledTogether(Protocol):
    """A stack that can kill several components at one instant, as the end of their host does."""

    def kill_together(self, names: Sequence[str]) -> Moment | None:
        """SIGKILL to each, and to all they have started. Harmless where one is gone."""


@runtime_checkable
class Pausable(Protocol):
    """A component that can be frozen: its ports stay open, and it says nothing."""

    def pause(self) -> Moment | None:
        """Harmless when repeated."""

    def resume(self) -> Moment | None:
        """Harmless where it is not paused."""


@runtime_checkable
class Asked(Protocol):
    """A component that says itself where it is asked, and how: for the proof that it hangs, or is gone."""

    @property
    def door(self) -> tuple[str, int]:
        """Address and port."""

    def ask(self) -> None:
        """A real request. Errors: `OSError` where it has no answer within two seconds."""


@runtime_checkable
class Divisible(Protocol):
    """A stack whose zones can be cut off. Where this machine cannot, `cut` is `Unable`, with the reason.

    A cut drops packets both ways without a word: new connections time out, established ones stall. Inside the zone its
    components still reach each other, and customers of the zone reach them.
    """

    def cut(self, zone: str) -> Moment | None:
        """Harmless when repeated. Errors: `Unable`."""

    def join(self, zone: str) -> Moment | None:
        """End the cut; harmless where there is none."""


@runtime_checkable
class Linked(Protocol):
    """A stack in which two zones can be made blind for each other while all others see both.

    `part` "" is everything between the two, "etcd" only what the members of the consensus store, and its clients, say
    to each other across the two zones. As silent as a cut. Where this machine cannot, it is `Unable`, with the reason.
    """

    def cut_link(self, one: str, other: str, *, part: Literal["", "etcd"] = "") -> Moment | None:
        """Harmless when repeated. Errors: `Unable`."""

    def join_link(self, one: str, other: str) -> Moment | None:
        """End every cut between the two; harmless where there is none."""

    def sees(self, one: str, other: str, *, part: Literal["", "etcd"] = "") -> bool:
        """Whether `one` gets an answer from the other zone, by a real try from inside `one`."""


@dataclass(frozen=True)
class Slowness:
    """How slow a link is made; 0 leaves a figure alone."""

    kilobytes: int = 0  # a second
    latency: timedelta = timedelta(0)
    loss: float = 0.0  # percent of the packets


@runtime_checkable
class Slowable(Protocol):
    """A stack in which the link of a zone can be made slow, as far as the kernel can."""

    def slow(self, zone: str, how: Slowness) -> Sequence[str]:
        """Make it so, both ways; harmless when repeated. Returns what this kernel could not do, in words.

        Errors: `Unable` where nothing of it can be done.
        """

    def unslow(self, zone: str) -> None:
        """Harmless where it is not slow."""

    def slowed(self, zone: str) -> str:
        """How the kernel says that the link is slowed; empty where it is not."""


@runtime_checkable
class Flappable(Protocol):
    """A stack in which the link of a zone can be made to come and go by itself."""

    def flap(self, zone: str, *, down: timedelta, up: timedelta, lasting: timedelta) -> Moment | None:
        """Begin: down first, then up, and so on; it stops by itself after `lasting`, joined. Errors: `Unable`."""

    def settle(self, zone: str) -> Moment | None:
        """End it, joined; harmless where nothing flaps."""

    def flaps(self, zone: str) -> int:
        """How often the link has gone down since `flap`; 0 where nothing flaps."""


@runtime_checkable
class Powered(Protocol):
    """A stack that can lose a zone whole, as by a power cut: at one instant, and nobody is told."""

    def cut_power(self, zone: str) -> Moment | None:
        """Every component of the zone is gone, and its network silent. Harmless when repeated."""

    def restore_power(self, zone: str) -> None:
        """The network is back, and every component is started again. Harmless where the power is on."""

    def has_power(self, zone: str) -> bool: ...


@runtime_checkable
class Fillable(Protocol):
    """A database server whose volume can be made to take no more."""

    def fill_volume(self) -> Moment | None:
        """From now on nothing that it writes can grow. Harmless when repeated."""

    def free_volume(self) -> Moment | None:
        """Give it room again; harmless where it has room."""

    def volume_is_full(self) -> bool: ...


@runtime_checkable
class Unfenced(Protocol):
    """For sabotage only: a database server whose manager can be frozen, so that nobody takes the lead from it."""

    def freeze_manager(self) -> None: ...
    def thaw_manager(self) -> None:
        """Harmless where it is not frozen."""


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


@dataclass(frozen=True)
class Clock:
    """A clock of the stack that stamps what comes into the journal."""

    clock: str  # MONITORING or DATABASE
    offset: float  # seconds by which it is ahead of the journal's
    uncertainty: float  # seconds by which that may be more or less
    how: str  # how that is known


SAME_KERNEL = tuple(Clock(each, 0.0, 0.0, "the same kernel's clock") for each in (MONITORING, DATABASE))


@runtime_checkable
class Clocked(Protocol):
    """A stack that knows how far its clocks are from this machine's."""

    def clocks(self) -> Sequence[Clock]:
        """Those of which that is known."""
