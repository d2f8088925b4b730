"""Route 53 by Moto's server, over its own TLS: where operators change what the names of customers stand for.

It keeps zones in memory: what it holds dies with it, and the name server goes on with what it read last. It checks no
signature. It answers no DNS question and checks no health: `dns_server` does.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib.metadata import version

from harness.stacks.parts.ground import Ground, Runs
from harness.stacks.parts.hosted_zone import TTL, HostedZone
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import HOSTS
from harness.system.http import DIRECT

PORT = 9053
PATIENCE = timedelta(seconds=2)
ZONE = HOSTS[0].partition(".")[2]


def simulated() -> str:
    """What it is, in words for whoever reads a report."""
    return (
        f"the API of Route 53 (moto: {version('moto')}) is Moto, an emulator; DNS is answered, and health is checked,"
        " by a name server of this project that follows Route 53's rules from one place: simulated names"
    )


class Route53:
    """One Moto server, outside of all regions, and the zone in it."""

    def __init__(
        self, ground: Ground, *, authority: Issuer, address: str, port: int = PORT, place: str = "",
        ttl: timedelta = TTL,
    ) -> None:  # fmt: skip  # parameters in groups
        self._address = address
        self._port = port
        self._authority = authority
        self.url = f"https://{address}:{port}"
        self.unit = ground.unit("route53", runs=Runs.HARNESS, place=place, argv=self._argv, env=self._env)
        self.zone = HostedZone(ZONE, url=self.url, ca=authority.ca, ttl=ttl)

    @property
    def name(self) -> str:
        return self.unit.name

    @property
    def door(self) -> tuple[str, int]:
        return self._address, self._port

    def ask(self) -> None:
        """Fills the protocol Asked."""
        DIRECT.ask("GET", f"{self.url}/2013-04-01/hostedzone", within=PATIENCE, ca=self._authority.ca)

    def start(self) -> None:
        """Start it; `ready()` says when it serves."""
        self.unit.start()

    def ready(self) -> bool:
        """Whether it answers a real request. Errors: `NotReady` when it has ended, with its last log lines."""
        self.unit.must_run()
        return self.zone.answers()

    def _argv(self) -> list[str]:
        chain, key = self._authority.issue("route53", [self._address, "localhost"])
        place = ["-H", self._address, "-p", str(self._port)]
        return [sys.executable, "-P", "-m", "moto.server", *place, "-c", str(chain), "-k", str(key)]

    def _env(self) -> dict[str, str]:
        return {"PYTHONUNBUFFERED": "1"}
