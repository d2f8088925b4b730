"""The name server of a stack of two regions: outside of both, and told by Route 53 what to answer."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from harness.stacks.parts.ground import Ground, Runs
from harness.stacks.parts.name_server import log
from harness.stacks.parts.route53 import ZONE, Route53
from harness.stacks.parts.tls import Issuer
from harness.stacks.stand_in import HOSTS
from harness.system.resolver import Dns, NotResolved

PORT = 5300  # 53 is for root alone, where there is no namespace
EVERY = timedelta(seconds=1)  # between looks at the zone: Route 53 says 60 s for all of its servers


class DnsServer:
    """One name server. `resolver` is how customers ask it."""

    def __init__(
        self, ground: Ground, *, authority: Issuer, route53: Route53, address: str, port: int = PORT, place: str = "",
        checks_every: timedelta | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        """`checks_every`: between health checks, whatever these say themselves; for tests."""
        self.folder = ground.folder / "dns"
        self.resolver = Dns(address, port)
        seconds = f"--checks-every={checks_every.total_seconds()}" if checks_every else ""
        words = [
            *(sys.executable, "-P", "-m", "harness.stacks.parts.name_server", f"--listen={address}:{port}"),
            *(f"--folder={self.folder}", f"--zone={ZONE}", f"--api={route53.url}", f"--ca={authority.ca}"),
            *(f"--every={EVERY.total_seconds()}", *filter(None, [seconds])),
        ]
        self.unit = ground.unit("dns", runs=Runs.HARNESS, place=place, argv=lambda: words)

    @property
    def log(self) -> Path:
        """What it answered when, and why: `name_server.log` says how to read it."""
        return self.folder / log.FILE

    def unhealthy(self) -> set[str]:
        """The addresses of which the checks of health have turned last to bad."""
        turned = {line["address"]: line["healthy"] for line in log.Lines(self.log).new() if line["e"] == "health"}
        return {address for address, healthy in turned.items() if not healthy}

    def start(self) -> None:
        """Start it; `ready()` says when it serves."""
        self.unit.start()

    def ready(self) -> bool:
        """Whether all names that customers know are answered. Errors: `NotReady` when it has ended."""
        self.unit.must_run()
        try:
            return all(self.resolver.fresh().resolve(host) for host in HOSTS)
        except NotResolved:
            return False
