"""Network Failover: what its sentences mean."""

from __future__ import annotations

from datetime import timedelta

from pytest_bdd import given, then, when

from drills.books import BOOKS
from harness.faults.cut_link import CutLink
from harness.faults.cut_zone import CutZone
from harness.faults.flap_link import FlapLink
from harness.faults.kill_load_balancer import KillLoadBalancer
from harness.faults.kill_zone import KillZone
from harness.faults.slow_link import SlowLink
from harness.scenario.scenario import Scene
from harness.workload.workload import Group

INSIDE = 2.0  # requests a second of each group inside a zone
# Of a slow link: percent of packets, and a second. A segment of 16 MB goes to each of two copies every 5 s, written or
# not, so that its archive is never older: with less than 7 MB a second the copies fall behind for ever.
LATENCY, LOSS, KILOBYTES = timedelta(milliseconds=50), 1.0, 15_000
DOWN, UP, AT_MOST = timedelta(seconds=3), timedelta(seconds=4), timedelta(minutes=2)  # of a link that comes and goes
A_WHILE = timedelta(seconds=8)
FOR_LONG = timedelta(seconds=30)  # longer than it takes to choose another leader


@given("the books were checked, and customers write outside and inside of every zone")
def _customers_everywhere(scene: Scene) -> None:
    scene.check_books(BOOKS)
    apis = [Group(f"zone-{zone}", INSIDE, zone=zone, via="api") for zone in scene.stack.zones]
    leading = scene.leading_zone
    scene.serve_customers(inside=[*apis, Group(f"database-{leading}", INSIDE, zone=leading, via="database")])


@when("the zone of the database's leader is cut off")
def _leader_cut_off(scene: Scene) -> None:
    scene.inject(CutZone(scene.leading_zone))


@when("the zone of the database's leader loses its power")
def _power_lost(scene: Scene) -> None:
    scene.inject(KillZone(scene.leading_zone))


@when("the active load balancer dies")
def _balancer_dies(scene: Scene) -> None:
    scene.inject(KillLoadBalancer("active"))


@when("the leader no longer reaches the consensus store, and still its copies")
def _leader_without_store(scene: Scene) -> None:
    zone = scene.leading_zone
    scene.inject(CutLink(zone, tuple(scene.copy_zones), part="etcd"), hurts=[f"etcd-{zone}", f"patroni-{zone}"])


@when("the zones of the two copies no longer see each other")
def _pair_cut(scene: Scene) -> None:
    one, *others = scene.copy_zones
    scene.inject(CutLink(one, tuple(others)))
    scene.let_pass(A_WHILE, what="customers write while the two are blind for each other")


@when("the link of the leader's zone is slow")
def _link_slow(scene: Scene) -> None:
    fault = SlowLink(scene.leading_zone, kilobytes=KILOBYTES, latency=LATENCY, loss=LOSS)
    scene.inject(fault)
    for what in fault.left_out(scene.stack):
        scene.leave_out("a slow link in full", what)
    scene.let_pass(A_WHILE, what="customers write over the slow link")


@when("the link of the leader's zone comes and goes")
def _link_flaps(scene: Scene) -> None:
    scene.inject(FlapLink(scene.leading_zone, down=DOWN, up=UP, lasting=AT_MOST))
    scene.let_pass(FOR_LONG, what="the link comes and goes")


@then("the database of another zone leads")
def _another_leads(scene: Scene) -> None:
    scene.await_leader()


@then("who led before is a copy again")
def _rejoined(scene: Scene) -> None:
    scene.await_rejoined()
