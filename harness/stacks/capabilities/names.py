"""The names that customers know, and which region each of them stands for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable

from harness.stacks.capabilities.components import Asked
from harness.system.clock import Moment


class Zone(Asked, Protocol):
    """The component by which records are changed. A name server goes on answering without it."""

    @property
    def name(self) -> str: ...


@runtime_checkable
class Named(Protocol):
    """A stack of several regions whose names stand for one of these: by health, until somebody switches by hand."""

    @property
    def names(self) -> Sequence[str]:
        """Those that customers know."""

    @property
    def zone(self) -> Zone:
        """Whom `switch_name` and `publish_names` tell."""

    @property
    def ttl(self) -> timedelta:
        """For how long whoever resolves a name may keep the answer."""

    def switch_name(self, name: str, region: str) -> Moment | None:
        """From now on it stands for that region, whatever the health of any, until names are published. Harmless when
        repeated. Errors: `Refused` where there is no such name; `DrillError` where the zone cannot be changed."""

    def publish_names(self, region: str) -> None:
        """Health decides again, and this region is the first. Harmless when repeated. Errors: as `switch_name`."""

    def healthy(self, region: str) -> bool:
        """Whether the checks that decide, once names are published, see anything of that region well now."""

    def recorded(self, name: str) -> str:
        """The region that the zone has for a name that was switched by hand; empty where health decides, or it is of
        no region. Errors: as `switch_name`."""

    def answered(self, name: str) -> str:
        """The region that a resolver is told now which has kept nothing; empty where that is of no region. Errors:
        `NotReady` where there is no answer."""
