"""What the names that customers know stand for, on a stack of one region: its load balancers, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.stacks.stand_in import HOSTS
from harness.system.resolver import HostsFile


class Names:
    """A file in the stack's folder, which customers read where they stand, also in a pod; it is switched by writing."""

    def __init__(self, folder: Path, balancers: Sequence[str]) -> None:
        """`balancers`: their addresses, in the order in which customers are to try them."""
        self.resolver = HostsFile(folder / "hosts")
        self._balancers = tuple(balancers)

    def publish(self) -> None:
        """From now on the names stand for the load balancers."""
        self.resolver.write(dict.fromkeys(HOSTS, self._balancers))
