"""A replica that cannot be used when its region has to lead: what these sentences of Full Regional Failover mean."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from drills.changes import REGIONAL_FAILOVER, RESTORE_DATABASE
from drills.reconciliation import RECONCILIATION, TABLE
from drills.roles import COMMANDER
from drills.steps.regional_failover import A_WHILE, INSIDE, Recovery, declare, past_the_name
from harness.faults.corrupt_page import CorruptPage
from harness.faults.stop_replay import StopReplay
from harness.features.sentences import Approval, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.looks import not_sound, taken
from harness.procedures.reconciliation import ReconciledState
from harness.procedures.regional_failback import RegionalFailback
from harness.procedures.regional_failover import RegionalFailover
from harness.procedures.restore_database import RestoreDatabase
from harness.sentences.promises import right
from harness.sentences.service import CUSTOMERS
from harness.stacks import regional
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, BaseBackups, Replicated
from harness.stacks.capabilities.database import Cluster, Connected, Positioned, Standby, Verified
from harness.stacks.capabilities.entrance import Balanced, ZoneServices
from harness.stacks.capabilities.names import Named
from harness.stacks.needs import HEALTH, Regions
from harness.system import wait
from harness.system.recorder import Memory
from harness.workload.workload import Group

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

CATCHES_UP = timedelta(seconds=10)  # for which somebody looks at a replica that is behind

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@given(
    "the books were checked, and customers write until it is in the backups of the second region",
    needs=(Connected, Cluster, Positioned, Standby, Replicated, Archive, Named, Regions(2), *CUSTOMERS, Group),
)
def _customers_backed_up(scenario: ScenarioRun) -> None:
    scenario.data.check(RECONCILIATION)
    second = regional.other(scenario.stack, scenario.region)
    inside = [Group(f"in-{second.name}", INSIDE, zone=second.zones[0]), *past_the_name(scenario)]
    scenario.customers.look_at(second.name)
    scenario.customers.serve_archived(second.name, inside=inside)


@when("the second region replays nothing any more, and nobody notices", needs=(StopReplay,))
def _replays_nothing(scenario: ScenarioRun) -> None:
    scenario.faults.inject(StopReplay(regional.other(scenario.stack, scenario.region).name))
    scenario.let_pass(A_WHILE, what="customers write, and nothing of it is replayed there")


@when("pages of each database server of the second region turn out to be damaged", needs=(CorruptPage, Cluster))
def _replica_damaged(scenario: ScenarioRun) -> None:
    """Behind the loss of the first region, which is the disaster: nobody has read them before."""
    second = regional.other(scenario.stack, scenario.region)
    for member in need(second, Cluster).members:
        scenario.faults.inject(CorruptPage(TABLE, "flip a byte", scenario.seed, member=member.name))


@then("whether the replica can be used is looked at", needs=(Standby, Cluster, Verified, Regions(2)))
def _replica_looked_at(scenario: ScenarioRun) -> None:
    """Who only streams is no replica: what it has received has to be replayed, and each of its pages to be sound."""
    second = regional.other(scenario.stack, scenario.region)
    standby = need(second, Standby)
    before = standby.replayed()
    wait.poll(lambda: standby.replayed() >= standby.received_whole(), within=CATCHES_UP)
    received, replayed, age = standby.received_whole(), standby.replayed(), standby.replay_age()
    words = f"{received - replayed} bytes wait to be replayed, and {replayed - before} were"
    why = [f"{words} in {CATCHES_UP.total_seconds():g} s"] if replayed < received else []
    why += not_sound(taken(each.name, need(each, Verified).verify_pages) for each in need(second, Cluster).members)
    why = [] if scenario.sabotage.replica_trusted else why
    scenario.journal.record(
        "replica", region=second.name, usable=not why, received=received, replayed=replayed,
        age=None if age is None else age.total_seconds(),
        why="; ".join(why) or "all that it has received is replayed, and its pages are sound",
    )  # fmt: skip  # arguments in groups


def _restoration() -> Procedure:
    before = ReconciledState(last=0, position="0/0", history=1, values={}, size={})
    return RestoreDatabase(NO_STACK, RECONCILIATION, before, Memory()).procedure()


def _restored_failover() -> Procedure:
    return RegionalFailover(NO_STACK, "", lambda name: {}, Memory(), REGIONAL_FAILOVER, restored=True).procedure()


@when(
    "the regional disaster is declared, the lost region is fenced, and the replica is given up",
    needs=(RegionalFailover, RegionalFailback, RestoreDatabase, BaseBackups, Balanced, ZoneServices, HEALTH),
    asks=Approval("Declare a regional disaster, fence the primary region and restore from backups there?", COMMANDER),
    carries_out=_restored_failover,
    returns="recovery",
)
def _given_up(scenario: ScenarioRun) -> Recovery:
    if scenario.sabotage.replica_trusted:
        return declare(scenario)
    second = regional.alone(scenario.stack, regional.other(scenario.stack, scenario.region).name)
    restoration = RestoreDatabase(
        second, RECONCILIATION, scenario.data.before, scenario.journal, changes=RESTORE_DATABASE,
        skip=scenario.sabotage.without,
    )  # fmt: skip  # arguments in groups
    return declare(scenario, restoration)


@when(
    "the database is restored from the backups of the second region, and leads there",
    needs=(RestoreDatabase, RegionalFailover),
    carries_out=_restoration,
    promises=right("second-region-activated", "the second region is ready before customers are sent there"),
)
def _restored_there(scenario: ScenarioRun, recovery: Recovery) -> None:
    if recovery.restoration is not None:
        procedure = recovery.restoration.procedure()
        scenario.follow(procedure, "restore")
        scenario.data.export("recovered", recovery.restoration.restored.connect)
        for phase in ("verify", "serve"):
            scenario.follow(procedure, phase)
    scenario.follow(recovery.failover, "activate")


promise("nothing led there that could not be used", right("replica-refused", "a replica that cannot be used", "REG-3"))
