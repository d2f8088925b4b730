"""The releases of a platform's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from harness.system.clock import Moment


@runtime_checkable
class Releases(Protocol):
    """What was deployed, and how something else is."""

    def current(self) -> str:
        """The one that is deployed."""

    def history(self) -> list[str]:
        """What was deployed, one after the other; the last one is `current`."""

    def deploy(self, name: str) -> Moment | None:
        """Restart the API of every zone with it, all at once. Whether they then serve is not waited for.

        Returns when what ran before ended: from the first that was asked to, to the last."""


@runtime_checkable
class Publishing(Protocol):
    """Releases can be put where they are deployed from."""

    def publish(self, name: str, content: Mapping[str, Any]) -> None:
        """Nothing runs it yet. Harmless when repeated."""

    def content(self, name: str) -> Mapping[str, Any]: ...
