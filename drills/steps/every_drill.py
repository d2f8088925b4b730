"""Sentences that several drills share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.books import BOOKS
from drills.health import health_checks, works
from drills.promises import (
    CATEGORY,
    at_most,
    downtime_of_a_year,
    health,
    operations_are_told,
    recovery_point,
    recovery_time,
    right,
    within_confirmation,
)
from harness.features.sentences import Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.health import verify_health
from harness.procedures.restart import Restart
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


@given("the platform serves customers, replicates and archives")
def _serves(scenario: ScenarioRun) -> None:
    scenario.begin()


@given("the books were checked, and customers write")
def _customers_write(scenario: ScenarioRun) -> None:
    scenario.data.check(BOOKS)
    scenario.customers.serve()


@then(
    "the monitoring tells operations what has failed, within the time that the plan gives",
    promises=operations_are_told,
)
def _operations_are_told(scenario: ScenarioRun) -> None:
    scenario.detection.await_alert(within=scenario.plan.category(CATEGORY).limits["detection"])


@then(
    "customers are served by what is left, without a person",
    promises=within_confirmation("automatic", "service without a person", "INF-2"),
)
def _served_without_a_person(scenario: ScenarioRun) -> None:
    scenario.customers.await_service()


@when("the health of the platform is verified")
def _health_verified(scenario: ScenarioRun) -> None:
    scenario.verify_health(
        lambda: verify_health(health_checks(scenario.plan.health, scenario.stack), recorder=scenario.journal)
    )


def _restart() -> Procedure:
    return Restart(NO_STACK, Memory(), named=list, works=str).procedure()


@when(
    "what has failed is started again",
    promises=right("back-in-rotation", "what had failed does its work again"),
    carries_out=_restart,
)
def _started_again(scenario: ScenarioRun) -> None:
    scenario.faults.still_active()
    restart = Restart(
        scenario.stack,
        scenario.journal,
        named=scenario.detection.alerts.unresolved,
        works=lambda name: works(scenario.stack, name),
        skip=scenario.sabotage.without,
    )
    scenario.follow(restart.procedure(), "repair")


@when("the link is whole again")
@when("the zone is joined again")
@when("the power is back")
@when("the credentials are accepted again")
@when("the volume has room again")
@when("the link has settled")
def _ended(scenario: ScenarioRun) -> None:
    scenario.faults.end()


@then(
    "customers are served again by the platform itself",
    promises=within_confirmation("self-recovery", "service once the fault has ended", "INF-2"),
)
def _served_by_itself(scenario: ScenarioRun) -> None:
    scenario.customers.await_settled()


@then("who led before is a copy again", promises=within_confirmation("rejoined", "a copy again"))
def _rejoined(scenario: ScenarioRun) -> None:
    scenario.leader.await_rejoined()


@then("the database of another zone leads")
def _another_leads(scenario: ScenarioRun) -> None:
    scenario.leader.await_another()


promise("customers are served again within the recovery time of {tier}", recovery_time)
promise("no more is lost than the recovery point of {tier} allows", recovery_point)
promise(
    "restoration is confirmed within the time that the plan gives",
    within_confirmation("confirmation", "confirmation of the restoration", "INF-4"),
)
promise("every health check answers within the time that the plan gives it", health)
promise(
    "nothing that was acknowledged is lost",
    at_most(0.0, "no-loss", "nothing that was acknowledged is lost", "OBJ-2"),
)
promise("the bad seconds are within what {tier} may have in a year", downtime_of_a_year)
promise(
    "the books agree with those from before the disaster",
    right("consistency", "the same books", "CON-1", "CON-2", "CON-3"),
)
