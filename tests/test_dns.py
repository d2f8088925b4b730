"""Route 53 and the name server as a stack runs them: processes of their own, real HTTPS health checks, on loopback."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.errors import DrillError, Refused
from harness.stacks.parts.dns_server import DnsServer
from harness.stacks.parts.hosted_zone import Side
from harness.stacks.parts.name_server.log import Lines
from harness.stacks.parts.route53 import Route53, simulated
from harness.stacks.parts.tls import Authority, make_authority
from harness.stacks.stand_in import HOSTS, READY
from harness.system import clock, wait
from harness.system.command import Commands
from harness.system.recorder import Memory
from harness.system.resolver import Dns, NotResolved
from tests.one_host import one_host
from tests.receivers import free_ports

R1, R2 = Side("r1", ["127.0.0.5", "127.0.0.6"]), Side("r2", ["127.0.0.7"])
SOON = timedelta(seconds=30)
NAME, OTHER = HOSTS


@dataclass
class Entrance:
    """One load balancer, as health checks see it: its status, or nobody listens."""

    address: str
    port: int
    authority: Authority
    status: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        entrance = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                entrance.asked.append((str(self.headers["Host"]), self.path))
                self.send_response(entrance.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        chain, key = self.authority.issue(self.address, HOSTS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        self.server = ThreadingHTTPServer((self.address, self.port), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Scene:
    route53: Route53
    dns: DnsServer
    entrances: dict[str, Entrance]
    port: int
    log: Lines = field(init=False)

    def __post_init__(self) -> None:
        self.log = Lines(self.dns.log)

    def publish(self) -> None:
        self.route53.zone.publish(HOSTS, primary=R1, secondary=R2, port=self.port, path=READY)

    def become(self, side: Side, status: int) -> None:
        for address in side.addresses:
            self.entrances[address].status = status

    def told(self, name: str = NAME) -> tuple[str, ...]:
        """What a new client is told; nothing where nobody could say."""
        try:
            return self.dns.resolver.fresh().resolve(name)
        except NotResolved:
            return ()

    def tells(self, side: Side, name: str = NAME) -> bool:
        return wait.poll(lambda: self.told(name) == tuple(side.addresses), within=SOON)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Of what is new in the log."""
        return [one for one in self.log.new() if one["e"] == kind]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("dns")
    authority = make_authority(folder / "tls")
    ground = one_host(folder, Commands(Memory(), label=f"dns-{os.getpid()}"), ourselves=True)
    api, name_server, port = free_ports(3)
    route53 = Route53(ground, authority=authority, address="127.0.0.1", port=api)
    often = timedelta(seconds=0.2)
    dns = DnsServer(
        ground, authority=authority, route53=route53, address="127.0.0.1", port=name_server, checks_every=often
    )
    entrances = {each: Entrance(each, port, authority) for side in (R1, R2) for each in side.addresses}
    try:
        route53.start()
        dns.start()
        assert wait.poll(route53.ready, within=SOON)
        yield Scene(route53, dns, entrances, port)
    finally:
        dns.unit.stop()
        route53.unit.stop()
        for one in entrances.values():
            one.close()


@pytest.fixture
def scene(running: Scene) -> Scene:
    """Published, both regions well."""
    for side in (R1, R2):
        running.become(side, 200)
    if not running.route53.unit.running():
        running.route53.start()
        assert wait.poll(running.route53.ready, within=SOON)
    if not running.dns.unit.running():
        running.dns.start()
    running.publish()
    assert all(running.tells(R1, name) for name in HOSTS)
    running.log.new()
    return running


def test_published_names_stand_for_the_primary_region(scene: Scene) -> None:
    """In the order of its load balancers, each of which is asked whether it is ready, by the name of customers."""
    assert scene.dns.ready() and scene.told(NAME) == scene.told(OTHER) == ("127.0.0.5", "127.0.0.6")
    found = [(one.name, one.role, one.values, one.ttl) for one in scene.route53.zone.records()]
    ttl = timedelta(seconds=5)
    sides = (("PRIMARY", tuple(R1.addresses)), ("SECONDARY", tuple(R2.addresses)))
    assert sorted(found) == [(name, *side, ttl) for name in HOSTS for side in sides]
    assert wait.poll(lambda: all(one.asked for one in scene.entrances.values()), within=SOON)
    assert {each for one in scene.entrances.values() for each in one.asked} == {(f"{NAME}:{scene.port}", READY)}
    assert "simulated" in simulated()


def test_publishing_again_changes_nothing(scene: Scene) -> None:
    """Not even a health check, which would have forgotten what it saw."""
    before = scene.route53.zone.read()
    scene.publish()
    assert scene.route53.zone.read() == before


def test_health_sends_customers_to_the_other_region_and_back(scene: Scene) -> None:
    """Once no load balancer of the primary is ready; where neither region is, the primary is said."""
    scene.become(R1, 503)
    scene.entrances[R1.addresses[1]].status = 200
    assert wait.poll(lambda: scene.events("health"), within=SOON)
    assert scene.told() == tuple(R1.addresses), "one of them is ready"
    scene.become(R1, 503)
    assert scene.tells(R2) and scene.told(OTHER) == tuple(R2.addresses)
    scene.become(R2, 503)
    assert scene.tells(R1)
    scene.become(R2, 200)
    assert scene.tells(R2)
    scene.become(R1, 200)
    assert scene.tells(R1)
    said = [(one["address"], one["healthy"], one["why"]) for one in scene.events("health")]
    assert (R2.addresses[0], False, "HTTP 503") in said and (R2.addresses[0], True, "") in said


def test_a_switch_by_hand_is_final(scene: Scene) -> None:
    """The region that is left comes back well, the other one becomes ill: no health check undoes it."""
    scene.become(R1, 503)
    assert scene.tells(R2)
    scene.route53.zone.switch(NAME, R2.addresses)
    assert wait.poll(lambda: scene.events("record"), within=SOON)
    scene.become(R1, 200)
    scene.become(R2, 503)
    assert scene.tells(R1, OTHER), "the name that was not switched follows health"
    for _ in range(10):
        assert scene.told() == tuple(R2.addresses)
        clock.sleep(timedelta(seconds=0.1))
    scene.route53.zone.switch(NAME, R2.addresses)
    (left,) = [one for one in scene.route53.zone.records() if one.name == NAME]
    assert (left.values, left.role, left.check) == (tuple(R2.addresses), "", "")
    scene.publish()
    assert scene.tells(R1)


def test_a_switch_is_seen_when_the_kept_answer_is_old(scene: Scene) -> None:
    """By a client who keeps it for its five seconds; a stubborn one sees it later."""
    clients = [scene.dns.resolver.fresh(), Dns("127.0.0.1", scene.dns.resolver.port, keeps=timedelta(seconds=3))]
    assert all(one.resolve(NAME) == tuple(R1.addresses) for one in clients)
    begin = clock.mono()
    scene.route53.zone.switch(NAME, R2.addresses)
    after = []
    for one in clients:
        assert wait.poll(lambda one=one: one.resolve(NAME) == tuple(R2.addresses), within=SOON)
        after.append(clock.since(begin).total_seconds())
    print(f"seen after {after[0]:.1f} s; by the stubborn one after {after[1]:.1f} s")
    assert 4 < after[0] < 8 < after[1] + 0.1 < 12
    answers = [(one["name"], one["addresses"]) for one in scene.events("answer")]
    assert (NAME, list(R2.addresses)) in answers


def test_without_its_api_the_names_are_answered_on(scene: Scene) -> None:
    """Also by a server that starts anew; health goes on deciding; a switch is refused, and says where to look."""
    scene.route53.unit.kill()
    with pytest.raises(DrillError, match="could not switch") as failed:
        scene.route53.zone.switch(NAME, R2.addresses)
    assert "route53" in failed.value.hint
    assert wait.poll(lambda: any(not one["up"] for one in scene.events("api")), within=SOON)
    scene.become(R1, 503)
    assert scene.tells(R2)
    scene.dns.unit.kill()
    scene.dns.start()
    assert scene.tells(R2, OTHER)


def test_an_api_that_has_lost_its_zone_takes_nobodys_place(scene: Scene) -> None:
    """It keeps all in memory: after its start it knows nothing, and what was read before is answered on."""
    scene.route53.unit.kill()
    scene.route53.start()
    assert wait.poll(scene.route53.ready, within=SOON)
    assert scene.route53.zone.records() == [] and scene.route53.zone.read() is None
    with pytest.raises(Refused, match="no record of"):
        scene.route53.zone.switch(NAME, R2.addresses)
    assert wait.poll(lambda: any("no such zone" in one["why"] for one in scene.events("api")), within=SOON)
    assert scene.told() == tuple(R1.addresses)
    scene.publish()
    assert wait.poll(lambda: any(one["up"] for one in scene.events("api")), within=SOON)
    assert scene.told() == tuple(R1.addresses)


def test_a_name_that_is_not_in_the_zone_is_not_switched(scene: Scene) -> None:
    """Nor to nowhere."""
    before = scene.route53.zone.read()
    for name, to in (("x.elsewhere.test", R2.addresses), (NAME, [])):
        with pytest.raises(Refused):
            scene.route53.zone.switch(name, to)
    assert scene.route53.zone.read() == before


def test_while_the_api_hangs_no_name_can_be_switched_and_health_still_leads(scene: Scene) -> None:
    """Whoever asks it is not answered in time; once it goes on, names are switched again."""
    api = scene.route53
    api.ask()
    api.unit.pause()
    try:
        with pytest.raises(OSError, match="no answer within 2 s"):
            api.ask()
        with pytest.raises(DrillError, match=f"could not switch {NAME}"):
            api.zone.switch(NAME, R2.addresses)
        scene.become(R1, 503)
        assert all(scene.tells(R2, name) for name in HOSTS)
    finally:
        api.unit.resume()
    assert wait.poll(api.ready, within=SOON)
    api.zone.switch(NAME, R2.addresses)
    assert (api.name, api.door) == ("route53", ("127.0.0.1", int(api.url.rpartition(":")[2])))
