"""Customers who ask a DNS server, as their processes do: what they were told is in their ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from harness.stacks.parts.name_server.zone import Zone as Answering
from harness.stacks.parts.tls import make_authority
from harness.system import clock
from harness.system.resolver import Dns
from tests.name_servers import Serving, record, zone
from tests.small_service import SmallService
from tests.test_customers import NAME, Zone, compare, resolved

pytestmark = pytest.mark.xdist_group("timed")
ABOVE = NAME.partition(".")[2]
HERE, NOBODY = "127.0.0.1", "127.0.0.9"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SmallService]:
    small = SmallService(*make_authority(tmp_path / "ca").issue("api", [NAME]))
    yield small
    small.close()


def customers(folder: Path, service: SmallService, names: Dns) -> Zone:
    return Zone(folder, folder / "ca" / "ca.pem", service.port, "--rate=50", "--timeout=3", resolver=names)


def at(*addresses: str) -> Answering:
    return zone(record(NAME, "A", *addresses, ttl=1), name=ABOVE)


def test_a_switch_is_in_the_ledger_once_the_kept_answer_is_old(service: SmallService, tmp_path: Path) -> None:
    """Every customer of the group goes by one cache; the server's own log tells the same."""
    with Serving(tmp_path, zone=at(HERE)).serves() as server:
        one = customers(tmp_path, service, Dns(HERE, server.port))
        try:
            one.wait_for_acknowledged(20)
            server.zone, begin = at(NOBODY), clock.mono()
            one.wait_for(lambda lines: any("refused" in line for line in lines))
            assert clock.since(begin) < timedelta(seconds=3)
            server.zone = at(NOBODY, HERE)
            one.wait_for_acknowledged(20)
            requests = one.end()
        finally:
            one.process.kill()
        told = [one["addresses"] for one in server.log.new()]
    answers = resolved(one)
    assert [addresses for _, addresses in answers] == told == [[HERE], [NOBODY], [NOBODY, HERE]]
    assert answers[0][0] <= 10  # those that are due while the first answer is awaited have it at once
    compare(service, requests)


def test_without_a_name_server_customers_fail_and_go_on(service: SmallService, tmp_path: Path) -> None:
    """Known not to be stored, by a reason of its own, each within its time; they are back when it is."""
    server = Serving(tmp_path, zone=at(HERE))
    one = customers(tmp_path, service, Dns(HERE, server.port, within=timedelta(seconds=1)))
    try:
        with server.serves():
            one.wait_for_acknowledged(20)
        one.wait_for(lambda lines: sum("name not resolved" in line for line in lines) > 20)
        with server.serves():
            one.wait_for_acknowledged(20)
            requests = one.end()
    finally:
        one.process.kill()
    failed = [request for request in requests if request.outcome == "failed"]
    assert failed and all(each.why.startswith("never left: ") for each in failed)
    assert [addresses for _, addresses in resolved(one)] == [[HERE], [], [HERE]]
    compare(service, requests)
