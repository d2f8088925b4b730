"""What fails on any platform, how it is noticed, and how it ends or is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.cut_component import CutComponent
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.features.sentences import Among, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.restart import Restart
from harness.scenario.roles import one_of
from harness.sentences.promises import operations_are_told, right
from harness.stacks.capabilities.components import Detachable, Killable, Pausable, Roled
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.needs import HEALTH
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
when, then = SENTENCES.when, SENTENCES.then


@when("the component {name} dies", needs=(KillComponent,), hurts=lambda name: [KillComponent((name,))])
def _dies(scenario: ScenarioRun, name: str) -> None:
    scenario.faults.inject(KillComponent((name,)))


@when("the component {name} hangs", needs=(PauseComponent,), hurts=lambda name: [PauseComponent(name)])
def _hangs(scenario: ScenarioRun, name: str) -> None:
    scenario.faults.inject(PauseComponent(name))


@when("the component {name} is cut off", needs=(CutComponent,), hurts=lambda name: [CutComponent(name)])
def _is_cut_off(scenario: ScenarioRun, name: str) -> None:
    scenario.faults.inject(CutComponent(name))


def _alike(role: str) -> Among:
    return Among("role", role)


@when("one component of the role {role} dies", needs=(KillComponent, Roled), among=_alike)
def _one_dies(scenario: ScenarioRun, role: str) -> None:
    scenario.faults.inject(KillComponent((one_of(scenario.stack, role, able=Killable),)))


@when("one component of the role {role} hangs", needs=(PauseComponent, Roled), among=_alike)
def _one_hangs(scenario: ScenarioRun, role: str) -> None:
    scenario.faults.inject(PauseComponent(one_of(scenario.stack, role, able=Pausable)))


@when("one component of the role {role} is cut off", needs=(CutComponent, Roled), among=_alike)
def _one_is_cut_off(scenario: ScenarioRun, role: str) -> None:
    scenario.faults.inject(CutComponent(one_of(scenario.stack, role, able=Detachable)))


@then("the monitoring notices it", needs=(Monitoring,))
def _monitoring_notices(scenario: ScenarioRun) -> None:
    scenario.detection.await_alert()


@then(
    "the monitoring tells operations what has failed, within the time that the plan gives",
    needs=(Monitoring,),
    promises=operations_are_told,
)
def _operations_are_told(scenario: ScenarioRun) -> None:
    scenario.detection.await_alert(within=scenario.plan.time_for("detection"))


@when("what hangs goes on again")
@when("what is cut off is joined again")
@when("the link is whole again")
@when("the link has settled")
@when("the zone is joined again")
@when("the power is back")
@when("the credentials are accepted again")
@when("the volume has room again")
def _ended(scenario: ScenarioRun) -> None:
    scenario.faults.end()


def _restart() -> Procedure:
    return Restart(NO_STACK, Memory(), named=list, works=str).procedure()


@when(
    "what has failed is started again",
    needs=(Restart, HEALTH),
    promises=right("back-in-rotation", "what had failed does its work again"),
    carries_out=_restart,
)
def _started_again(scenario: ScenarioRun) -> None:
    scenario.faults.still_active()
    restart = Restart(
        scenario.stack,
        scenario.journal,
        named=scenario.detection.named,
        works=lambda name: scenario.run.health.works(scenario.stack, name),
        skip=scenario.sabotage.without,
    )
    scenario.follow(restart.procedure(), "repair")
