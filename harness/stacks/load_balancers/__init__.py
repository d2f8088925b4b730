"""One file per load balancer: its configuration, and the command that runs it. Each fills `LoadBalancer`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

PORT = 8443  # of the entrance; an ordinary user may bind it


class LoadBalancer(Protocol):
    """What stands at the entrance: TLS for the platform's names, health checks by real requests, no second try.

    An answer that it makes itself says whether the request can have been stored, as the platform says it: not, where it
    went to no server; nobody knows, where one took it and did not answer.
    """

    @property
    def address(self) -> str:
        """Where it listens, on `PORT`."""

    @property
    def upstreams(self) -> Mapping[str, tuple[str, int]]:
        """Name of each server behind it, to address and port."""

    def argv(self, folder: Path) -> list[str]:
        """Write the configuration into the folder and return the command that runs it."""
