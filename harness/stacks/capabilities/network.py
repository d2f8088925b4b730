"""How zones are cut from each other, slowed, and lose their power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable

from harness.system.clock import Moment


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

    `part` "" is everything between the two, "consensus store" only what the members of that store, and its clients, say
    to each other across the two zones. As silent as a cut. Where this machine cannot, it is `Unable`, with the reason.
    """

    def cut_link(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> Moment | None:
        """Harmless when repeated. Errors: `Unable`."""

    def join_link(self, one: str, other: str) -> Moment | None:
        """End every cut between the two; harmless where there is none."""

    def sees(self, one: str, other: str, *, part: Literal["", "consensus store"] = "") -> bool:
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
