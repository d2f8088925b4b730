"""Full Regional Failover: what its sentences mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drills.changes import REGIONAL_FAILOVER
from drills.health import region_ready
from drills.promises import REGIONAL, names_in_time, noticed_outside
from drills.reconciliation import RECONCILIATION
from drills.roles import COMMANDER
from harness.errors import DrillError, quietly
from harness.faults.black_out_region import BlackOutRegion
from harness.faults.cut_region import CutRegion
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.features.sentences import Approval, Sentences
from harness.plan.lengths import length_of_time
from harness.procedures import NO_STACK, Procedure
from harness.procedures.regional_failback import RegionalFailback
from harness.procedures.regional_failover import RegionalFailover
from harness.sentences.promises import in_time, recovery_point_beyond, right
from harness.sentences.service import CUSTOMERS
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups, ObjectStore
from harness.stacks.capabilities.components import Pausable
from harness.stacks.capabilities.database import Cluster, Fenced, Positioned, Queried, Standby
from harness.stacks.capabilities.entrance import Balanced, ZoneServices
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.regions import RegionDivisible, RegionPowered
from harness.stacks.capabilities.sabotage import Overruled
from harness.stacks.needs import HEALTH, Regions
from harness.system import clock, wait
from harness.system.clock import CALL, Moment
from harness.system.recorder import Memory
from harness.workload.workload import Group

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

REPLAYS_NOTHING = ("ALTER SYSTEM SET recovery_min_apply_delay = '1d'", "SELECT pg_reload_conf()")
REPLAYS = ("ALTER SYSTEM RESET recovery_min_apply_delay", "SELECT pg_reload_conf()")
A_WHILE = timedelta(seconds=8)  # in which an unfenced server would have come back and led
LED_WITHIN = timedelta(seconds=90)  # three checks of health, 10 s apart, and what else has to happen
KEEPS = timedelta(seconds=20)  # beyond the time to live, by resolvers that lie
FOR_EVER = timedelta(days=1)
LITTLE = 16 * 1024 * 1024  # bytes of the log, which whoever does not look closely takes for nothing
STORE = "s3"
INSIDE = 5.0  # requests a second of each group that stands in a region

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@dataclass(frozen=True)
class Recovery:
    """Both procedures, from one sentence to the next. `first` is the region that was lost."""

    first: str
    failover: Procedure
    failback: Procedure


# Given


@given(
    "the books were checked, and customers write in both regions and in neither",
    needs=(Queried, Cluster, Positioned, Standby, Named, Regions(2), *CUSTOMERS, Group),
)
def _customers_everywhere(scenario: ScenarioRun) -> None:
    _serve(scenario)


@given(
    "the books were checked, and customers write everywhere, some of them by resolvers that keep what they were told",
    needs=(Queried, Cluster, Positioned, Standby, Named, Regions(2), *CUSTOMERS, Group),
)
def _some_by_stale_resolvers(scenario: ScenarioRun) -> None:
    zone = regional.other(scenario.stack, scenario.region).zones[-1]
    keeps = FOR_EVER if scenario.sabotage.never_resolve else KEEPS
    _serve(scenario, Group("stale", INSIDE, zone=zone, keeps=keeps))


@given(
    "the books were checked, and customers write by each name, some of them by resolvers that keep what they were told",
    needs=(Queried, Cluster, Positioned, Standby, Named, Regions(2), *CUSTOMERS, Group),
)
def _by_each_name(scenario: ScenarioRun) -> None:
    zone = regional.other(scenario.stack, scenario.region).zones[-1]
    names = need(scenario.stack, Named).names
    _serve(
        scenario,
        Group("stale", INSIDE, zone=zone, keeps=KEEPS),
        *(Group(f"by-{name.partition('.')[0]}", INSIDE, zone=zone, host=name) for name in names[1:]),
    )


def _serve(scenario: ScenarioRun, *more: Group) -> None:
    """In the first region also past the name: whoever leads there when it should not must have somebody to tell."""
    scenario.data.check(RECONCILIATION)
    named = [
        Group(f"in-{region.name}", INSIDE, zone=region.zones[0], via="entrance") for region in scenario.stack.regions
    ]
    leading = scenario.leader.zone
    past = [
        Group(f"zone-{leading}", INSIDE, zone=leading, via="api"),
        Group(f"database-{leading}", INSIDE, zone=leading, via="database"),
    ]
    second = regional.other(scenario.stack, scenario.region).name
    scenario.customers.serve_followed(second, inside=[*named, *past, *more])
    scenario.let_pass(A_WHILE, what="customers write, and the second region follows")  # else no loss could show


# When: what happens


@then(
    "monitoring that stands in neither region notices it",
    needs=(Monitoring, Regions(2)),
    promises=noticed_outside,
)
def _noticed_outside(scenario: ScenarioRun) -> None:
    settings = scenario.plan.procedure(REGIONAL).settings
    scenario.detection.await_alert(within=length_of_time(settings["noticed_within"]))


@when("the primary region loses its power", needs=(BlackOutRegion,))
def _blacked_out(scenario: ScenarioRun) -> None:
    if scenario.sabotage.replay_stopped or scenario.sabotage.falls_short:
        _replay(scenario, REPLAYS_NOTHING)
    scenario.faults.inject(BlackOutRegion(scenario.region))


def _replay(scenario: ScenarioRun, statements: Sequence[str]) -> None:
    """For sabotage only: what the database servers of the second region do with what they receive."""
    second = regional.other(scenario.stack, scenario.region)
    for member in need(second, Cluster).members:
        with need(second, Queried).connect(member) as connection:
            for statement in statements:
                connection.execute(statement)


@when(
    "the primary region loses its power, and what changes names hangs with it",
    needs=(BlackOutRegion, PauseComponent, Named),
)
def _blacked_out_with_names(scenario: ScenarioRun) -> None:
    scenario.faults.inject(BlackOutRegion(scenario.region))
    scenario.faults.inject(PauseComponent(need(scenario.stack, Named).zone.name))


@when("the primary region is cut off", needs=(CutRegion,))
def _cut_off(scenario: ScenarioRun) -> None:
    scenario.faults.inject(CutRegion(scenario.region))


@when(
    "the store and the load balancers of the primary region die, and its database still answers",
    needs=(KillComponent, Balanced, ObjectStore),
)
def _partly_gone(scenario: ScenarioRun) -> None:
    balancers = [each.name for each in need(scenario.stack, Balanced).balancers]
    scenario.faults.inject(KillComponent((STORE, *balancers)))


@when(
    "what each choice would cost is weighed by the rule of the plan",
    needs=(Positioned, Standby, Cluster, Regions(2)),
    promises=right("choice-weighed", "what each choice costs is known before it is made", "REG-1"),
)
def _weighed(scenario: ScenarioRun) -> None:
    """To fail over loses what the second region has not received; to repair costs customers the time that it takes."""
    standby = need(regional.other(scenario.stack, scenario.region), Standby)
    positions = need(scenario.stack, Positioned).positions()
    try:
        written, received, age = positions.now(), standby.received(), standby.replay_age()
    finally:
        positions.close()
    scenario.journal.record(
        "weighed",
        rule=scenario.plan.procedure(REGIONAL).settings["counts_as_down"],
        answers=[each.name for each in need(scenario.stack, Cluster).members if each.running()],
        choices=[
            {"choice": "fail over", "position": written, "received": received,
             "age": None if age is None else age.total_seconds()},
            {"choice": "repair", "waited": clock.since(scenario.faults.begun).total_seconds()},
        ],
    )  # fmt: skip  # arguments in groups


@when("the network of the lost region comes back by itself", needs=(RegionDivisible,))
def _joined(scenario: ScenarioRun, recovery: Recovery) -> None:
    """It is no healing: nobody has asked who may write, and what was done against a second writer has to hold."""
    begun = clock.mono()
    moment = need(scenario.stack, RegionDivisible).join_region(recovery.first)
    _came_back(scenario, recovery, "network", moment or Moment(begun, clock.mono(), CALL))


@when("the power of the lost region comes back by itself", needs=(RegionPowered,))
def _has_power(scenario: ScenarioRun, recovery: Recovery) -> None:
    """As `_joined`."""
    begun = clock.mono()
    need(scenario.stack, RegionPowered).restore_region_power(recovery.first)
    _came_back(scenario, recovery, "power", Moment(begun, clock.mono(), CALL))


def _came_back(scenario: ScenarioRun, recovery: Recovery, what: str, moment: Moment) -> None:
    scenario.journal.record("region.back", region=recovery.first, what=what, **asdict(moment))
    scenario.let_pass(A_WHILE, what=f"the {what} of {recovery.first} is back")


# When: how it is recovered


def _failover() -> Procedure:
    return RegionalFailover(NO_STACK, "", lambda name: {}, Memory(), REGIONAL_FAILOVER).procedure()


def _failback() -> Procedure:
    return RegionalFailback(NO_STACK, "", lambda name: {}, Memory()).procedure()


@when(
    "the regional disaster is declared, and the lost region is fenced",
    needs=(RegionalFailover, RegionalFailback, BaseBackups, Balanced, ZoneServices, HEALTH),
    asks=Approval("Declare a regional disaster, fence the primary region and fail over to the second?", COMMANDER),
    carries_out=_failover,
    returns="recovery",
)
def _declared(scenario: ScenarioRun) -> Recovery:
    scenario.faults.still_active()
    stack, journal, sabotage = scenario.stack, scenario.journal, scenario.sabotage
    left_out, tolerates = sabotage.without, LITTLE if sabotage.falls_short else 0

    def ready(name: str) -> dict[str, str]:
        return region_ready(stack, name)

    def ready_with_backups(name: str) -> dict[str, str]:
        found = region_ready(stack, name, backups=1)  # nobody else has one any more
        return dict(list(found.items())[:1]) if sabotage.one_asked else found

    first = scenario.region
    recovery = Recovery(
        first,
        RegionalFailover(
            stack, first, ready_with_backups, journal, REGIONAL_FAILOVER, skip=left_out, tolerates=tolerates
        ).procedure(),
        RegionalFailback(stack, first, ready, journal, skip=left_out).procedure(),
    )
    scenario.follow(recovery.failover, "fence")
    scenario.second_writer.begin(first)
    return recovery


@when(
    "the database of the second region leads, and its services are ready",
    needs=(RegionalFailover,),
    promises=right("second-region-activated", "the second region is ready before customers are sent there"),
)
def _activated(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.failover, "activate")
    if scenario.sabotage.falls_short:
        _replay(scenario, REPLAYS)


@when("the names are switched to the second region", needs=(RegionalFailover,), promises=names_in_time)
def _switched(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.failover, "switch")


@when("one name is switched to the second region, and the other is not", needs=(Named,))
def _half_switched(scenario: ScenarioRun, recovery: Recovery) -> None:
    """As by somebody who is called away, or an API that takes one change and not the next."""
    named, second = need(scenario.stack, Named), regional.other(scenario.stack, recovery.first).name
    named.switch_name(named.names[0], second)
    _await_told(scenario, lambda: named.answered(named.names[0]) == second)
    scenario.let_pass(A_WHILE, what="one name leads to the second region, and the other to the lost one")
    _say_told(scenario, "one name was switched by hand")


@when("no name can be switched, and health leads customers to the second region", needs=(Named,))
def _led_by_health(scenario: ScenarioRun, recovery: Recovery) -> None:
    """It is tried. The name server goes on with the records that it has, and with its own checks of health."""
    named, second = need(scenario.stack, Named), regional.other(scenario.stack, recovery.first).name
    try:
        named.switch_name(named.names[0], second)
    except DrillError as error:
        scenario.journal.record("names.refused", name=named.names[0], why=error.message)
    _await_told(scenario, lambda: all(named.answered(each) == second for each in named.names))
    _say_told(scenario, "no name was switched by hand")


def _await_told(scenario: ScenarioRun, led: Callable[[], bool]) -> None:
    wait.until(led, what="resolvers are told the second region", within=LED_WITHIN, recorder=scenario.journal)


def _say_told(scenario: ScenarioRun, why: str) -> None:
    named = need(scenario.stack, Named)
    scenario.journal.record("names.told", why=why, answered={each: named.answered(each) for each in named.names})


@when("what changes names answers again", needs=(Named, Pausable))
def _names_back(scenario: ScenarioRun) -> None:
    """It is no healing: the power of the lost region is not back."""
    name = need(scenario.stack, Named).zone.name
    need(scenario.stack.components()[name], Pausable).resume()
    wait.until(
        lambda: not quietly(need(scenario.stack, Named).zone.ask), what=f"{name} answers", within=LED_WITHIN,
        recorder=scenario.journal,
    )  # fmt: skip  # arguments in groups


@when(
    "the lost region returns, and follows the second",
    needs=(RegionalFailback,),
    carries_out=_failback,
    promises=right("region-follows", "the lost region follows the second, as the histories of both say"),
)
def _returned(scenario: ScenarioRun, recovery: Recovery) -> None:
    """No part of a recovery time: customers are served meanwhile."""
    scenario.customers.settle()
    if scenario.sabotage.looks_whole:
        _lead_and_follow(scenario, recovery.first)
    recovery.failback.run("return")


def _lead_and_follow(scenario: ScenarioRun, name: str) -> None:
    """For sabotage only: it leads for a while, as the other does, on a history of the same number, and then follows."""
    need(scenario.stack, RegionPowered).restore_region_power(name)
    need(scenario.stack, Overruled).let_lead(name)
    scenario.let_pass(A_WHILE, what="both regions lead")
    need(scenario.stack, Overruled).follow_unlooked(name)


@when("the primary region takes over again, as planned", needs=(RegionalFailback, Fenced))
def _switched_back(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.customers.plan_interruption(f"{recovery.first} takes over again")
    recovery.failback.run("switchback")
    scenario.second_writer.end()
    scenario.customers.await_settled()


promise(
    "the response keeps the time that the plan gives",
    in_time("response", "response to a regional disaster"),
)
promise(
    "no more is lost with the region than the recovery point of {tier} allows",
    recovery_point_beyond,
    needs=(Standby, Positioned),
)
promise(
    "all that the second region had received was replayed before it led",
    right("replayed-all", "all that was received is replayed"),
    needs=(Standby,),
)
promise(
    "the lost region took no write until it was in service again",
    right("region-fenced", "no second writer"),
    needs=(Fenced,),
)
promise(
    "nobody was told by both regions that a transaction is stored",
    right("two-leaders", "one region leads at a time"),
    needs=(Cluster, Positioned),
)
promise(
    "what customers saw whose resolvers keep an old answer is told",
    right("stale-resolvers", "customers of a resolver that lies", "REG-4"),
    needs=(Named,),
)
promise(
    "what customers of each name and of each resolver saw is told",
    right("each-resolver", "customers of each name and resolver", "REG-4"),
    needs=(Named,),
)
promise("the incident commander declared the disaster", right("decision", "declaration of the disaster", "REG-1"))
promise("all services were tested comprehensively", right("health", "comprehensive testing of all services", "REG-5"))
promise("stakeholders and customers were told", right("customers-told", "stakeholders and customers are told", "REG-6"))
promise("the planned switchback lost nothing", right("switchback-lossless", "a switchback without a loss"))
