"""What happens to a database cluster of any platform: its leader fails, a copy falls behind, the lead is moved."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from harness.faults.cut_component import CutComponent
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.features.sentences import Among, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.fail_over import FailOver
from harness.sentences.promises import in_time, right
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Claimed, Cluster, Fenced
from harness.stacks.needs import Copies
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

A_WHILE = timedelta(seconds=6)  # in which customers are told of what a copy that is cut off does not get

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@given("every database server is asked who leads, all the time", needs=(Cluster, Claimed | Fenced))
def _asked_who_leads(scenario: ScenarioRun) -> None:
    scenario.leaders.begin()


promise("no two database servers led at one time", right("one-leader", "one leader at a time"), needs=(Cluster,))


def _leader() -> Among:
    return Among("leader")


@when("the database's leader dies", needs=(KillComponent, Cluster), among=_leader)
def _leader_dies(scenario: ScenarioRun) -> None:
    scenario.faults.inject(KillComponent((scenario.leader.before.name,)))


@when("the database's leader hangs", needs=(PauseComponent, Cluster), among=_leader)
def _leader_hangs(scenario: ScenarioRun) -> None:
    scenario.faults.inject(PauseComponent(scenario.leader.before.name))


@when("the database's leader is cut off", needs=(CutComponent, Cluster), among=_leader)
def _leader_cut_off(scenario: ScenarioRun) -> None:
    scenario.faults.inject(CutComponent(scenario.leader.before.name))


@when(
    "a copy of the database is cut off, and customers write on",
    needs=(CutComponent, Cluster, Copies(1)),
    among=lambda: Among("copy"),
)
def _copy_cut_off(scenario: ScenarioRun) -> None:
    led = scenario.leader.before.name
    copy = next(member.name for member in need(scenario.stack, Cluster).members if member.name != led)
    scenario.faults.inject(CutComponent(copy))
    scenario.let_pass(A_WHILE, what="customers write while a copy is cut off")


@when("what is cut off is joined again, and the rest stays as it is", needs=(CutComponent,))
def _joined(scenario: ScenarioRun) -> None:
    scenario.faults.end(of=CutComponent)


def _fail_over() -> Procedure:
    return FailOver(NO_STACK, Memory(), led="").procedure()


@when("the database is failed over as its owner does it", needs=(FailOver,), carries_out=_fail_over)
def _failed_over(scenario: ScenarioRun) -> None:
    fail_over = FailOver(
        scenario.stack, scenario.journal, led=scenario.leader.before.name, skip=scenario.sabotage.without
    )
    scenario.follow(fail_over.procedure(), "repair")


@then("another database server leads", needs=(Cluster, Copies(1)))
def _another_leads(scenario: ScenarioRun) -> None:
    scenario.leader.await_another()


@then("who led before is a copy again", needs=(Cluster, Copies(1)), promises=in_time("rejoined", "a copy again"))
def _rejoined(scenario: ScenarioRun) -> None:
    if scenario.faults.unhealed:  # it is left as it was, and waits for a person
        scenario.leader.await_rejoined(within=timedelta(0))
    else:
        scenario.leader.await_rejoined()
