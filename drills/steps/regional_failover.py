"""Full Regional Failover: what its sentences mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from drills.changes import REGIONAL_FAILOVER
from drills.health import region_ready
from drills.promises import REGIONAL, names_in_time, noticed_outside
from drills.reconciliation import RECONCILIATION
from drills.roles import COMMANDER
from harness.faults.black_out_region import BlackOutRegion
from harness.faults.cut_region import CutRegion
from harness.faults.kill_component import KillComponent
from harness.features.sentences import Approval, Sentences
from harness.plan.lengths import length_of_time
from harness.procedures import NO_STACK, Procedure
from harness.procedures.regional_failback import RegionalFailback
from harness.procedures.regional_failover import RegionalFailover
from harness.procedures.restore_database import RestoreDatabase
from harness.sentences.promises import in_time, recovery_point_beyond, right
from harness.sentences.service import CUSTOMERS
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups, ObjectStore
from harness.stacks.capabilities.database import Cluster, Connected, Delayable, Fenced, Positioned, Standby
from harness.stacks.capabilities.entrance import Balanced, ZoneServices
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.capabilities.names import Named
from harness.stacks.capabilities.regions import RegionDivisible, RegionPowered
from harness.stacks.capabilities.sabotage import Overruled
from harness.stacks.needs import HEALTH, Regions
from harness.system import clock
from harness.system.clock import CALL, Moment
from harness.system.recorder import Memory
from harness.workload.workload import Group

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

A_WHILE = timedelta(seconds=8)  # in which an unfenced server would have come back and led
FOLLOWED = timedelta(seconds=2)  # in which more is written than is on its way to the second region
LITTLE = 16 * 1024 * 1024  # bytes of the log, which whoever does not look closely takes for nothing
STORE = "s3"
INSIDE = 2.5  # requests a second of each group that stands in a region

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@dataclass(frozen=True)
class Recovery:
    """The procedures, from one sentence to the next. `first` is the region that was lost."""

    first: str
    failover: Procedure
    failback: Procedure
    restoration: RestoreDatabase | None = None  # where the replica cannot be used


# Given


@given(
    "the books were checked, and customers write in both regions and in neither",
    needs=(Connected, Cluster, Positioned, Standby, Named, Regions(2), *CUSTOMERS, Group),
)
def _customers_everywhere(scenario: ScenarioRun) -> None:
    serve(scenario)


def past_the_name(scenario: ScenarioRun) -> list[Group]:
    """Past the name, to where the leader of the first region stands."""
    zone = scenario.leader.zone
    ways: tuple[Literal["api", "database"], ...] = ("api", "database")
    return [Group(f"{'zone' if via == 'api' else via}-{zone}", INSIDE, zone=zone, via=via) for via in ways]


def serve(scenario: ScenarioRun, *more: Group) -> None:
    """In the first region also past the name: whoever leads there when it should not must have somebody to tell."""
    scenario.data.check(RECONCILIATION)
    named = [
        Group(f"in-{region.name}", INSIDE, zone=region.zones[0], via="entrance") for region in scenario.stack.regions
    ]
    second = regional.other(scenario.stack, scenario.region).name
    scenario.customers.serve_followed(second, inside=[*named, *past_the_name(scenario), *more])
    scenario.let_pass(FOLLOWED, what="customers write, and the second region follows")  # else no loss could show


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
        need(regional.other(scenario.stack, scenario.region), Delayable).hold_replay()
    scenario.faults.inject(BlackOutRegion(scenario.region))


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
    return declare(scenario)


def declare(scenario: ScenarioRun, restoration: RestoreDatabase | None = None) -> Recovery:
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
            stack,
            first,
            ready_with_backups,
            journal,
            REGIONAL_FAILOVER,
            restored=restoration is not None,
            skip=left_out,
            tolerates=tolerates,
        ).procedure(),
        RegionalFailback(stack, first, ready, journal, skip=left_out).procedure(),
        restoration,
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
        need(regional.other(scenario.stack, scenario.region), Delayable).release_replay()


@when("the names are switched to the second region", needs=(RegionalFailover,), promises=names_in_time)
def _switched(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.failover, "switch")


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
    scenario.faults.look(after="the lost region has returned")


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
    "once it was fenced the lost region took no write until it was in service again",
    right("region-fenced", "no second writer"),
    needs=(Fenced,),
)
promise(
    "nobody was told by both regions that a transaction is stored",
    right("two-leaders", "one region leads at a time"),
    needs=(Cluster, Positioned),
)
promise("the incident commander declared the disaster", right("decision", "declaration of the disaster", "REG-1"))
promise("all services were tested comprehensively", right("health", "comprehensive testing of all services", "REG-5"))
promise("stakeholders and customers were told", right("customers-told", "stakeholders and customers are told", "REG-6"))
promise("the planned switchback lost nothing", right("switchback-lossless", "a switchback without a loss"))
