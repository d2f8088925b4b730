"""Where the names of a stack of several regions come from, put together; nothing is started here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.stacks.parts.dns_server import DnsServer
from harness.stacks.parts.ground import Ground, Unit
from harness.stacks.parts.hosted_zone import TTL, Side
from harness.stacks.parts.region_names import RegionNames
from harness.stacks.parts.route53 import Route53
from harness.stacks.parts.steady import SERVES_WITHIN
from harness.stacks.parts.tls import Issuer
from harness.system import wait
from harness.system.recorder import Recorder


@dataclass(frozen=True)
class Naming:
    """It stands outside of all regions."""

    route53: Route53
    server: DnsServer
    names: RegionNames

    @property
    def units(self) -> Sequence[Unit]:
        return self.route53.unit, self.server.unit

    def publish(self, region: str, recorder: Recorder) -> None:
        """Once both are started: the names stand for this region, and are answered. Errors: `NotInTime`, `NotReady`."""
        wait.until(self.route53.ready, what="Route 53 answers", within=SERVES_WITHIN, recorder=recorder)
        self.names.publish_names(region)
        wait.until(self.server.ready, what="names are answered", within=SERVES_WITHIN, recorder=recorder)


def put_names(
    ground: Ground,
    *,
    authority: Issuer,
    api: str,
    answers: str,
    entrances: Mapping[str, Sequence[str]],
    place: str = "",
    ttl: timedelta = TTL,
) -> Naming:
    """`api`, `answers`: the addresses of Route 53 and of the name server, which stand in `place`. `entrances`: the
    addresses where customers come into each region, by its name. `ground`: of the first of the regions.
    """
    route53 = Route53(ground, authority=authority, address=api, place=place, ttl=ttl)
    server = DnsServer(ground, authority=authority, route53=route53, address=answers, place=place)
    sides = {name: Side(name, list(addresses)) for name, addresses in entrances.items()}
    return Naming(route53, server, RegionNames(route53, server, sides))
