"""Application Recovery: what its sentences mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from drills.health import LIVE, status, without_database, works
from drills.roles import COMMANDER
from harness.faults.cut_link import CutLink
from harness.faults.fill_disk import FillDisk
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.faults.poison_release import PoisonRelease
from harness.faults.reject_credentials import RejectCredentials
from harness.features.sentences import Approval, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.health import survey
from harness.procedures.roll_back import RollBack
from harness.scenario import observations
from harness.sentences.promises import right
from harness.stacks import zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.capabilities.entrance import ZoneServices
from harness.stacks.needs import HEALTH, Copies
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

ROLE = "quantumnest_app"
POISONED = "poisoned"
TURNS_RED = timedelta(seconds=20)  # for a zone's API to say that it is not ready

SENTENCES = Sentences()
when, then = SENTENCES.when, SENTENCES.then
ONE_API = (ZoneServices, Cluster, Copies(1))  # that of a zone whose database only follows


@when("the API server of one zone is killed", needs=(KillComponent, *ONE_API))
def _api_killed(scenario: ScenarioRun) -> None:
    scenario.faults.inject(
        KillComponent((need(scenario.stack, ZoneServices).service(scenario.leader.copy_zones[0]).name,))
    )


@when("the host of the database's leader dies, with everything that runs on it", needs=(KillComponent, Cluster))
def _host_dies(scenario: ScenarioRun) -> None:
    zone, components = scenario.leader.zone, scenario.stack.components()
    scenario.faults.inject(KillComponent(tuple(name for name, one in components.items() if one.zone == zone)))


@when("the API server of one zone hangs", needs=(PauseComponent, *ONE_API))
def _api_hangs(scenario: ScenarioRun) -> None:
    scenario.faults.inject(
        PauseComponent(need(scenario.stack, ZoneServices).service(scenario.leader.copy_zones[0]).name)
    )


@when("the API server of one zone can no longer reach the database's leader", needs=(CutLink, *ONE_API))
def _api_without_database(scenario: ScenarioRun) -> None:
    zone = scenario.leader.copy_zones[0]
    cut = CutLink(zone, (scenario.leader.zone,))
    scenario.faults.inject(cut, affects=[need(scenario.stack, ZoneServices).service(zone).name])


@when("the database refuses the platform's credentials", needs=(RejectCredentials,))
def _credentials_refused(scenario: ScenarioRun) -> None:
    scenario.faults.inject(RejectCredentials(ROLE))


@when("a release that cannot start is deployed everywhere", needs=(PoisonRelease,))
def _poisoned(scenario: ScenarioRun) -> None:
    scenario.faults.inject(PoisonRelease(POISONED))


@when("the volume of the database's leader takes no more", needs=(FillDisk,))
def _volume_full(scenario: ScenarioRun) -> None:
    scenario.faults.inject(FillDisk(scenario.leader.before.name))


@then(
    "that server says that it is well, and not ready",
    needs=ONE_API,
    promises=right("honest-ready", "well, and not ready"),
)
def _one_is_not_ready(scenario: ScenarioRun) -> None:
    _await_not_ready(scenario, [scenario.leader.copy_zones[0]])


@then(
    "every server says that it is well, and not ready",
    needs=(ZoneServices,),
    promises=right("honest-ready", "well, and not ready"),
)
def _none_is_ready(scenario: ScenarioRun) -> None:
    _await_not_ready(scenario, zones(scenario.stack))


def _await_not_ready(scenario: ScenarioRun, zones: Sequence[str]) -> None:
    stack = scenario.stack
    observations.endpoints(zones, lambda zone: without_database(stack, zone), scenario.journal, within=TURNS_RED)


@then(
    "the health verification names everything that fails",
    needs=(HEALTH,),
    promises=right("told-all", "every failure is named"),
)
def _everything_is_named(scenario: ScenarioRun) -> None:
    survey(scenario.health_checks(), recorder=scenario.journal)


def _roll_back() -> Procedure:
    return RollBack(NO_STACK, Memory(), serves=bool).procedure()


@when(
    "the release before is deployed again",
    needs=(RollBack, ZoneServices),
    promises=right("rolled-back", "the release before is deployed"),
    asks=Approval("Deploy the release before again, in every zone?", COMMANDER),
    carries_out=_roll_back,
)
def _rolled_back(scenario: ScenarioRun) -> None:
    scenario.faults.still_active()
    roll_back = RollBack(
        scenario.stack,
        scenario.journal,
        serves=lambda zone: status(scenario.stack, zone, LIVE) == observations.OK,
        skip=scenario.sabotage.without,
    )
    scenario.follow(roll_back.procedure(), "repair")
    observations.release(scenario.stack, scenario.journal)


@then(
    "that server takes requests again by itself",
    needs=(*ONE_API, HEALTH),
    promises=right("back-in-rotation", "what had failed does its work again"),
)
def _takes_requests_again(scenario: ScenarioRun) -> None:
    name = need(scenario.stack, ZoneServices).service(scenario.leader.copy_zones[0]).name
    scenario.await_works(name, lambda: works(scenario.stack, name))
