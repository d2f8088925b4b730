"""What exists for sabotage twins alone: no drill that counts asks for it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Unfenced(Protocol):
    """A database server whose manager can be frozen, so that nobody takes the lead from it."""

    def freeze_manager(self) -> None: ...
    def thaw_manager(self) -> None:
        """Harmless where it is not frozen."""


@runtime_checkable
class Stallable(Protocol):
    """A stack whose archiving can be made to stall."""

    def stall_archiving(self) -> None:
        """From now on archiving takes longer than any drill."""


@runtime_checkable
class Overruled(Protocol):
    """Regions that can be made to lead, and to follow, against all that keeps them from it. Each by its name."""

    def let_lead(self, name: str) -> None:
        """Its database servers come back as they were, and one of them leads, although another region has led.

        Errors: `NotInTime`.
        """

    def follow_unlooked(self, name: str) -> None:
        """While it leads it is told to follow the other region, and nobody compares their histories. Errors:
        `NotReady` where nobody leads there."""


@runtime_checkable
class Deafenable(Protocol):
    """A monitoring whose alerts can be made to vanish."""

    def lose_receiver(self) -> None:
        """From now on no alert arrives, and nobody is told so."""
