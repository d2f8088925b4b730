"""Which region is in service, and which one names stand for, as a stack of two regions keeps them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import NotReady
from harness.stacks.capabilities.names import Named
from harness.stacks.parts.dns_server import DnsServer
from harness.stacks.parts.hosted_zone import Side
from harness.stacks.parts.in_service import InService
from harness.stacks.parts.name_server.zone import Record
from harness.stacks.parts.region_names import RegionNames
from harness.stacks.parts.route53 import Route53
from harness.stacks.stand_in import HOSTS
from harness.system.resolver import NotResolved

EAST, WEST = Side("east", ["10.0.0.5", "10.0.0.6"]), Side("west", ["10.0.0.7"])


def test_the_region_in_service_is_known_to_whoever_comes_later(tmp_path: Path) -> None:
    """None, until one was promoted; then the last that was."""
    assert InService(tmp_path).region() == ""
    for name in ("west", "east", "east"):
        InService(tmp_path).is_now(name)
        assert InService(tmp_path).region() == name
    assert [path.name for path in tmp_path.iterdir()] == ["in-service"]


class Zone:
    """Route 53 with records, and a resolver that is told what they say."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, ...]] = {}
        self.published: list[str] = []
        self.ttl = timedelta(seconds=5)

    def switch(self, name: str, to: Any) -> None:
        self.kept[name] = tuple(to)

    def publish(self, names: Any, *, primary: Side, secondary: Side, port: int, path: str) -> None:
        self.published = [primary.region, secondary.region]

    def records(self) -> list[Record]:
        return [Record(name, "A", timedelta(seconds=5), values) for name, values in self.kept.items()]

    def fresh(self) -> Zone:
        return self

    def resolve(self, host: str) -> tuple[str, ...]:
        if host not in self.kept:
            raise NotResolved(host, "no answer")
        return self.kept[host][::-1]  # a name server says them in any order


def test_a_name_is_switched_by_itself_and_published_with_the_other_region_behind() -> None:
    """What the zone has and what a resolver is told are looked at each by itself."""
    zone = Zone()
    route53, server = cast(Route53, SimpleNamespace(zone=zone)), cast(DnsServer, SimpleNamespace(resolver=zone))
    names = RegionNames(route53, server, {"east": EAST, "west": WEST})
    assert isinstance(names, Named)
    one, other = HOSTS
    assert names.switch_name(one, "west") is not None
    assert (names.recorded(one), names.answered(one), names.recorded(other)) == ("west", "west", "")
    with pytest.raises(NotReady, match="no answer"):
        names.answered(other)
    names.switch_name(other, "east")
    assert names.answered(other) == "east"
    names.publish_names("west")
    assert zone.published == ["west", "east"]


def test_a_region_is_well_while_any_of_its_addresses_is() -> None:
    """As the checks of health that decide have turned last."""
    sick: set[str] = set()
    server = cast(DnsServer, SimpleNamespace(resolver=Zone(), unhealthy=lambda: sick))
    names = RegionNames(cast(Route53, SimpleNamespace(zone=Zone())), server, {"east": EAST, "west": WEST})
    assert names.healthy("east")
    sick.update(EAST.addresses[:1])
    assert names.healthy("east") is (len(EAST.addresses) > 1)
    sick.update(EAST.addresses)
    assert not names.healthy("east") and names.healthy("west")
