"""Network Failover: what its sentences mean."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from drills.reconciliation import RECONCILIATION
from harness.faults.cut_link import CutLink
from harness.faults.cut_zone import CutZone
from harness.faults.flap_link import FlapLink
from harness.faults.kill_load_balancer import KillLoadBalancer
from harness.faults.kill_zone import KillZone
from harness.faults.slow_link import SlowLink
from harness.features.sentences import Sentences
from harness.sentences.promises import at_most, right
from harness.sentences.service import CUSTOMERS
from harness.stacks import zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Connected, Coordinated, Positioned
from harness.stacks.needs import Copies
from harness.workload.workload import Group

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

INSIDE = 2.0  # requests a second of each group inside a zone
# Of a slow link: percent of packets, and a second. A segment of 16 MB goes to each of two copies every 5 s, written or
# not, so that its archive is never older: with less than 7 MB a second the copies fall behind for ever.
LATENCY, LOSS, KILOBYTES = timedelta(milliseconds=50), 1.0, 15_000
DOWN, UP, AT_MOST = timedelta(seconds=3), timedelta(seconds=4), timedelta(minutes=2)  # of a link that comes and goes
A_WHILE = timedelta(seconds=8)
FOR_LONG = timedelta(seconds=30)  # longer than it takes to choose another leader

SENTENCES = Sentences()
given, when, promise = SENTENCES.given, SENTENCES.when, SENTENCES.promise


@given(
    "the books were checked, and customers write outside and inside of every zone",
    needs=(Connected, Cluster, *CUSTOMERS, Group),
)
def _customers_everywhere(scenario: ScenarioRun) -> None:
    scenario.data.check(RECONCILIATION)
    apis = [Group(f"zone-{zone}", INSIDE, zone=zone, via="api") for zone in zones(scenario.stack)]
    leading = scenario.leader.zone
    scenario.customers.serve(inside=[*apis, Group(f"database-{leading}", INSIDE, zone=leading, via="database")])


@when("the zone of the database's leader is cut off", needs=(CutZone,))
def _leader_cut_off(scenario: ScenarioRun) -> None:
    scenario.faults.inject(CutZone(scenario.leader.zone))


@when("the zone of the database's leader loses its power", needs=(KillZone, Cluster))
def _power_lost(scenario: ScenarioRun) -> None:
    scenario.faults.inject(KillZone(scenario.leader.zone))


@when("the active load balancer dies", needs=(KillLoadBalancer,))
def _balancer_dies(scenario: ScenarioRun) -> None:
    scenario.faults.inject(KillLoadBalancer("active"))


@when("the leader no longer reaches the consensus store, and still its copies", needs=(CutLink, Coordinated, Copies(1)))
def _leader_without_store(scenario: ScenarioRun) -> None:
    zone, store = scenario.leader.zone, need(scenario.stack, Coordinated)
    cut = CutLink(zone, tuple(scenario.leader.copy_zones), part="consensus store")
    scenario.faults.inject(cut, affects=[store.store(zone).name, scenario.leader.before.name])


@when("the zones of the two copies no longer see each other", needs=(CutLink, Copies(2)))
def _pair_cut(scenario: ScenarioRun) -> None:
    one, *others = scenario.leader.copy_zones
    scenario.faults.inject(CutLink(one, tuple(others)))
    scenario.let_pass(A_WHILE, what="customers write while the two are blind for each other")


@when("the link of the leader's zone is slow", needs=(SlowLink,))
def _link_slow(scenario: ScenarioRun) -> None:
    fault = SlowLink(scenario.leader.zone, kilobytes=KILOBYTES, latency=LATENCY, loss=LOSS)
    scenario.faults.inject(fault)
    for what in fault.left_out(scenario.stack):
        scenario.leave_out("a slow link in full", what)
    scenario.let_pass(A_WHILE, what="customers write over the slow link")


@when("the link of the leader's zone comes and goes", needs=(FlapLink, Cluster))
def _link_flaps(scenario: ScenarioRun) -> None:
    scenario.faults.inject(FlapLink(scenario.leader.zone, down=DOWN, up=UP, lasting=AT_MOST))
    scenario.let_pass(FOR_LONG, what="the link comes and goes")


promise(
    "nobody was told by two leaders that a transaction is stored",
    right("split-brain", "one leader at a time"),
    needs=(Cluster,),
)
promise(
    "the platform has changed its leader once at most",
    at_most(1.0, "failovers", "one change of leader at most", "INF-2"),
    needs=(Cluster, Positioned),
)
promise(
    "the platform has not changed its leader",
    at_most(0.0, "failovers", "no change of leader", "INF-2"),
    needs=(Cluster, Positioned),
)
