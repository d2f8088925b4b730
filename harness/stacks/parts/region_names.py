"""The names of a stack of two regions: records of Route 53, and a name server that answers from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from harness.errors import NotReady
from harness.stacks.load_balancers import PORT
from harness.stacks.parts.dns_server import DnsServer
from harness.stacks.parts.hosted_zone import Side
from harness.stacks.parts.route53 import Route53
from harness.stacks.stand_in import HOSTS, READY
from harness.system.clock import Moment, around
from harness.system.resolver import NotResolved


class RegionNames:
    """Fills the protocol Named."""

    names: Sequence[str] = HOSTS

    def __init__(self, route53: Route53, server: DnsServer, sides: Mapping[str, Side]) -> None:
        """`sides`: where customers come into each region, by its name."""
        self.zone = route53
        self._zone = route53.zone
        self.ttl: timedelta = route53.zone.ttl
        self._server = server
        self._sides = sides

    def switch_name(self, name: str, region: str) -> Moment | None:
        addresses = self._sides[region].addresses
        return around(lambda: self._zone.switch(name, addresses), by="Route 53, which was told to change the record")

    def publish_names(self, region: str) -> None:
        secondary = next(side for name, side in self._sides.items() if name != region)
        self._zone.publish(self.names, primary=self._sides[region], secondary=secondary, port=PORT, path=READY)

    def healthy(self, region: str) -> bool:
        return not set(self._sides[region].addresses) <= self._server.unhealthy()

    def recorded(self, name: str) -> str:
        found = [one for one in self._zone.records() if one.name.rstrip(".") == name]
        return self._region(found[0].values) if len(found) == 1 else ""

    def answered(self, name: str) -> str:
        try:
            return self._region(self._server.resolver.fresh().resolve(name))
        except NotResolved as error:
            raise NotReady(str(error), hint="read the log of the name server") from None

    def _region(self, addresses: Sequence[str]) -> str:
        return next((name for name, side in self._sides.items() if set(side.addresses) == set(addresses)), "")
