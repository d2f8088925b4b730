"""Sentences that several drills share, and those that are promises alone."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from drills.books import BOOKS
from drills.expectations import SENTENCES
from drills.health import health_checks, works
from harness.procedures.health import verify_health
from harness.procedures.restart import Restart
from harness.scenario.scenario import Scene

LEAD = "technical lead"
CATEGORY = "infrastructure failure"


@given("the platform serves customers, replicates and archives")
def _serves(scene: Scene) -> None:
    scene.begin()


@given("the books were checked, and customers write")
def _customers_write(scene: Scene) -> None:
    scene.check_books(BOOKS)
    scene.serve_customers()


@then("the monitoring tells operations what has failed, within the time that the plan gives")
def _operations_are_told(scene: Scene) -> None:
    scene.await_alert(within=scene.plan.category(CATEGORY).limits["detection"])


@then("customers are served by what is left, without a person")
def _served_without_a_person(scene: Scene) -> None:
    scene.await_service()


@when("the health of the platform is verified")
def _health_verified(scene: Scene) -> None:
    scene.verify_health(lambda: verify_health(health_checks(scene.plan.health, scene.stack), recorder=scene.journal))


@when("what has failed is started again")
def _started_again(scene: Scene) -> None:
    scene.hold()
    restart = Restart(
        scene.stack,
        scene.journal,
        named=scene.watch.unresolved,
        works=lambda name: works(scene.stack, name),
        skip=scene.sabotage.without,
    )
    scene.follow(restart.procedure(), "repair")


@when("the link is whole again")
@when("the zone is joined again")
@when("the power is back")
@when("the credentials are accepted again")
@when("the volume has room again")
@when("the link has settled")
def _ended(scene: Scene) -> None:
    scene.end_faults()


@then("customers are served again by the platform itself")
def _served_by_itself(scene: Scene) -> None:
    scene.await_settled()


# What is expected is in drills/expectations.py, and judged from the journal at the end.


def _judged_at_the_end() -> None:
    """Recorded before the scenario began; there is nothing to do here."""


for sentence in SENTENCES:
    then(parsers.parse(sentence))(_judged_at_the_end)
