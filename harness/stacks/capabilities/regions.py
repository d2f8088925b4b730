"""How regions are cut off, lose their power, and have their database servers fenced; each by its name."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.system.clock import Moment


@runtime_checkable
class RegionDivisible(Protocol):
    """A stack whose regions can be cut off. Where this machine cannot, `cut_region` is `Unable`, with the reason.

    As silent as the cut of a zone. Within the region everything still reaches everything.
    """

    def cut_region(self, name: str) -> Moment | None:
        """Harmless when repeated. Errors: `Unable`."""

    def join_region(self, name: str) -> Moment | None:
        """End the cut; harmless where there is none."""


@runtime_checkable
class RegionPowered(Protocol):
    """A stack that can lose a region whole, as by a blackout: at one instant, and nobody is told."""

    def cut_region_power(self, name: str) -> Moment | None:
        """Every component of the region is gone, what stands at its edge among them, and its network is silent.
        Harmless when repeated."""

    def restore_region_power(self, name: str) -> str:
        """The network is back, and every component is started again, but for what is fenced.

        Where another region has led meanwhile, database servers never come back on their own: they are fenced first,
        made to follow it, and only then started; where that cannot be done, they stay fenced. Harmless where the power
        is on. Returns what is not as it was, and why; empty where all is.
        """

    def region_has_power(self, name: str) -> bool: ...


@runtime_checkable
class RegionFence(Protocol):
    """A fence device for the database servers of a region. It works out of band: also where the region is cut off."""

    def fence_region(self, name: str) -> Moment | None:
        """All of them are killed at one instant, and whoever starts one is refused, also after a crash and once power
        or network are back, until `unfence_region`. Harmless when repeated."""

    def unfence_region(self, name: str) -> None:
        """They may be started again; nobody starts them here. Harmless where it is not fenced.

        Errors: `Refused`, with the reason, where another region has led and they would not follow it.
        """

    def region_is_fenced(self, name: str) -> bool: ...
