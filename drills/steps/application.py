"""Application Recovery: what its sentences mean."""

from __future__ import annotations

from datetime import timedelta

from pytest_bdd import then, when

from drills.health import health_checks, statuses, works
from drills.questions import COMMANDER, QUESTIONS, RELEASE_BEFORE
from harness.faults.cut_link import CutLink
from harness.faults.fill_disk import FillDisk
from harness.faults.kill_component import KillComponent
from harness.faults.pause_component import PauseComponent
from harness.faults.poison_release import PoisonRelease
from harness.faults.reject_credentials import RejectCredentials
from harness.procedures.health import survey
from harness.procedures.roll_back import RollBack
from harness.scenario import observations as sights
from harness.scenario.scenario import Scene

ROLE = "quantumnest_app"
POISONED = "poisoned"
TURNS_RED = timedelta(seconds=20)  # for a zone's API to say that it is not ready


@when("the API server of one zone is killed")
def _api_killed(scene: Scene) -> None:
    scene.inject(KillComponent((scene.stack.service(scene.copy_zones[0]).name,)))


@when("the host of the database's leader dies, with everything that runs on it")
def _host_dies(scene: Scene) -> None:
    zone = scene.leading_zone
    scene.inject(KillComponent(tuple(name for name, one in scene.stack.components().items() if one.zone == zone)))


@when("the API server of one zone hangs")
def _api_hangs(scene: Scene) -> None:
    scene.inject(PauseComponent(scene.stack.service(scene.copy_zones[0]).name))


@when("the API server of one zone can no longer reach the database's leader")
def _api_without_database(scene: Scene) -> None:
    zone = scene.copy_zones[0]
    scene.inject(CutLink(zone, (scene.leading_zone,)), hurts=[scene.stack.service(zone).name])


@when("the database refuses the platform's credentials")
def _credentials_refused(scene: Scene) -> None:
    scene.inject(RejectCredentials(ROLE))


@when("a release that cannot start is deployed everywhere")
def _poisoned(scene: Scene) -> None:
    scene.inject(PoisonRelease(POISONED))


@when("the volume of the database's leader takes no more")
def _volume_full(scene: Scene) -> None:
    scene.inject(FillDisk(scene.led.name))


@then("that server says that it is well, and not ready")
def _one_is_not_ready(scene: Scene) -> None:
    sights.endpoints([scene.copy_zones[0]], lambda zone: statuses(scene.stack, zone), scene.journal, within=TURNS_RED)


@then("every server says that it is well, and not ready")
def _none_is_ready(scene: Scene) -> None:
    sights.endpoints(scene.stack.zones, lambda zone: statuses(scene.stack, zone), scene.journal, within=TURNS_RED)


@then("the health verification names everything that fails")
def _everything_is_named(scene: Scene) -> None:
    survey(health_checks(scene.plan.health, scene.stack), recorder=scene.journal)


@when(RELEASE_BEFORE)
def _rolled_back(scene: Scene) -> None:
    scene.decide(QUESTIONS[RELEASE_BEFORE], role=COMMANDER)
    scene.hold()
    roll_back = RollBack(
        scene.stack,
        scene.journal,
        serves=lambda zone: statuses(scene.stack, zone)[0] == sights.OK,
        skip=scene.sabotage.without,
    )
    scene.follow(roll_back.procedure(), "repair")
    sights.release(scene.stack, scene.journal)


@then("that server takes requests again by itself")
def _takes_requests_again(scene: Scene) -> None:
    name = scene.stack.service(scene.copy_zones[0]).name
    scene.await_works(name, lambda: works(scene.stack, name))
