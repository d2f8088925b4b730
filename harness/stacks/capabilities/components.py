"""What a component can do, or have done to it, besides running."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.system.clock import Moment


@runtime_checkable
class Startable(Protocol):
    """It can be started and stopped in an orderly way: a component, or a stack that the run has made itself."""

    def start(self) -> None: ...
    def stop(self) -> None:
        """End it; of a stack: everything, and remove it. Harmless when nothing runs."""


@runtime_checkable
class Killable(Protocol):
    """A component that can be killed."""

    def kill(self) -> Moment | None:
        """SIGKILL it and all it has started. Returns when it died, where that is known more exactly than by the call
        and its return."""


@runtime_checkable
class Logged(Protocol):
    """A component whose log is a file that the harness can read."""

    @property
    def log(self) -> Path: ...


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
class Detachable(Protocol):
    """A component that can be cut off by itself: it goes on, nobody reaches it, and it reaches nobody.

    As silent as the cut of a zone. Where it cannot be, `cut` is `Unable`, with the reason.
    """

    def cut(self) -> Moment | None:
        """Harmless when repeated. Errors: `Unable`."""

    def join(self) -> Moment | None:
        """End the cut, also of a component that was started anew meanwhile; harmless where there is none."""


@runtime_checkable
class Roled(Protocol):
    """A component of which it is known what it is there for, as others may be, too."""

    @property
    def role(self) -> str:
        """In a word of the stack's own: `api`, `database`, `load balancer`."""


@runtime_checkable
class Asked(Protocol):
    """A component that says itself where it is asked, and how: for the proof that it hangs, or is gone."""

    @property
    def door(self) -> tuple[str, int]:
        """Address and port."""

    def ask(self) -> None:
        """A real request. Errors: `OSError` where it has no answer within two seconds."""
