"""Where customers come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import NotReady
from harness.system.resolver import Fixed, NotResolved, Resolver


@dataclass(frozen=True)
class Entrance:
    """Where customers come in: the name they know, who says what it stands for, and the CA that they trust.

    Whoever comes in resolves the name for each new connection, so a switch of the name is seen by the next one.
    """

    host: str  # the name that goes into SNI and Host
    resolver: Resolver
    port: int
    ca: Path | None  # None: it speaks plain HTTP, as within one machine

    @property
    def addresses(self) -> tuple[str, ...]:
        """What the name stands for now, in the order in which customers try them. Errors: `NotReady`."""
        try:
            return self.resolver.resolve(self.host)
        except NotResolved as error:
            raise NotReady(str(error), hint="the stack says what its name stands for: read its logs") from None

    def alone(self, address: str) -> Entrance:
        """Past the name: always this address."""
        return replace(self, resolver=Fixed((address,)))

    def url(self, path: str, *, host: str = "") -> str:
        """Of a path, by the name that customers know or by another that stands for the same."""
        return f"{'https' if self.ca else 'http'}://{host or self.host}:{self.port}{path}"
