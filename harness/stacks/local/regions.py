"""The network and the power of the regions of an embedded stack, as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from harness.errors import Unable
from harness.stacks.capabilities.components import Startable
from harness.stacks.local.network import Network
from harness.stacks.local.parts import Parts
from harness.system.clock import Moment


class Killer(Protocol):
    def __call__(self, names: Sequence[str], *, first: Callable[[], object] = bool) -> Moment | None: ...


class LocalGrid:
    """Fills `Grid`."""

    def __init__(self, network: Network, parts: Mapping[str, Parts], *, kill: Killer) -> None:
        """`parts`: by the name of the region."""
        self._network = network
        self._parts = parts
        self._kill = kill

    def cut_region(self, name: str) -> Moment | None:
        return self._network.cut_region(name)

    def join_region(self, name: str) -> Moment | None:
        return self._network.join_region(name)

    def black_out(self, name: str) -> Moment | None:
        def cut() -> None:
            with suppress(Unable):
                self.cut_region(name)

        return self._kill([one.name for one in self._parts[name].components()], first=cut)

    def start(self, parts: Sequence[Startable]) -> None:
        for one in parts:
            one.start()

    def light_up(self, name: str) -> None:
        self.join_region(name)
