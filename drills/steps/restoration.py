"""Database Backup Restoration: what its sentences mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from drills.books import BOOKS, TABLE
from drills.changes import RESTORE_DATABASE
from drills.health import health_checks
from drills.questions import BEFORE_MISTAKE, COMMANDER, QUESTIONS, TO_THE_END
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.faults.lose_volumes import LoseVolumes
from harness.procedures import Procedure
from harness.procedures.health import verify_health
from harness.procedures.restore_database import RestoreDatabase
from harness.scenario.scenario import DETECTION_LIMIT, Scene

DAMAGES = {
    "a byte is flipped in the latest base backup": DamageStoredObject("latest base backup", "flip a byte"),
    "an object of the latest base backup is deleted": DamageStoredObject("latest base backup", "delete"),
    "a byte is flipped in a WAL segment archived after it": DamageStoredObject(
        "WAL segment after the latest base backup", "flip a byte"
    ),
    "a WAL segment archived after it is damaged, and no sound version of it is left": DamageStoredObject(
        "WAL segment after the latest base backup", "flip a byte", keep_versions=False
    ),
}


@dataclass(frozen=True)
class Recovery:
    """A restoration and its list of steps, from one sentence to the next."""

    restoration: RestoreDatabase
    procedure: Procedure


# Given


@given("a base backup was taken, and the books were checked")
def _backed_up(scene: Scene) -> None:
    scene.back_up()
    scene.check_books(BOOKS)
    scene.serve_customers(archived=True)


# When: what happens


@when(parsers.parse("an operator's mistake destroys the last {hours:d} hours of financial transactions"))
def _mistake(scene: Scene, hours: int) -> None:
    schema, _, table = TABLE.partition(".")
    scene.inject(DestroyRecentRows(schema, table, moment="created_at", amount="amount", last=timedelta(hours=hours)))


@when("the database volumes of all zones are lost")
def _volumes_lost(scene: Scene) -> None:
    if scene.sabotage.no_sound_backup:
        scene.inject(DamageStoredObject("every base backup", "flip a byte", keep_versions=False))
    scene.inject(LoseVolumes())


@when(parsers.parse("{damage}, and nobody notices"))
def _damaged(scene: Scene, damage: str) -> None:
    scene.inject(DAMAGES[damage])


# Then: how it is noticed


@then("the consistency checks notice it")
def _consistency_notices(scene: Scene) -> None:
    scene.detect(lambda: "; ".join(scene.ask_database(BOOKS.discrepancies)), by="consistency checks of the books")


@then("the monitoring notices it")
def _monitoring_notices(scene: Scene) -> None:
    scene.await_alert(within=DETECTION_LIMIT)


# When: how it is recovered


@when(BEFORE_MISTAKE, target_fixture="recovery")
def _restored_before_mistake(scene: Scene) -> Recovery:
    scene.decide(QUESTIONS[BEFORE_MISTAKE], role=COMMANDER)
    return _restore(scene, mistaken=True)


@when(TO_THE_END, target_fixture="recovery")
def _restored_to_the_end(scene: Scene) -> Recovery:
    scene.decide(QUESTIONS[TO_THE_END], role=COMMANDER)
    return _restore(scene, mistaken=False)


@when("the restored database is verified")
def _verified(scene: Scene, recovery: Recovery) -> None:
    scene.follow(recovery.procedure, "verify")


@when("what customers wrote after the mistake is salvaged")
def _salvaged(scene: Scene, recovery: Recovery) -> None:
    scene.follow(recovery.procedure, "salvage")


@when("the restored database is put in service")
def _served(scene: Scene, recovery: Recovery) -> None:
    scene.follow(recovery.procedure, "serve")
    scene.verify_health(lambda: verify_health(health_checks(scene.plan.health, scene.stack), recorder=scene.journal))


def _restore(scene: Scene, *, mistaken: bool) -> Recovery:
    restoration = RestoreDatabase(
        scene.stack,
        BOOKS,
        scene.sound,
        scene.journal,
        mistaken=mistaken,
        changes=RESTORE_DATABASE,
        skip=scene.sabotage.without,
        earlier=scene.sabotage.earlier,
        silent=scene.sabotage.silent,
    )
    recovery = Recovery(restoration, restoration.procedure())
    scene.follow(recovery.procedure, "restore")
    scene.export("recovered", restoration.place.connect)
    return recovery
