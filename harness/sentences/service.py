"""What any platform's customers do and get: they write, they are served again, and what they were told is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.features.sentences import Sentences
from harness.sentences.promises import (
    at_most,
    downtime_of_a_year,
    health,
    in_time,
    loss,
    recovery_point,
    recovery_time,
    right,
)
from harness.stacks.capabilities.backups import Archive
from harness.stacks.capabilities.database import Positioned, Queried
from harness.stacks.capabilities.entrance import Reachable, Readable
from harness.stacks.needs import HEALTH

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise


CUSTOMERS = (Reachable, Readable | Queried)  # they write, and what is stored is read back


@given("the platform serves customers")
def _serves(scenario: ScenarioRun) -> None:
    scenario.begin()


@given("customers write", needs=CUSTOMERS)
def _customers_write(scenario: ScenarioRun) -> None:
    scenario.customers.serve()


@given("customers ask for what they know", needs=(Reachable,))
def _customers_ask(scenario: ScenarioRun) -> None:
    scenario.customers.ask()


WITHOUT_A_PERSON = in_time("automatic", "service without a person")


@then("customers are served by what is left, without a person", promises=WITHOUT_A_PERSON)
@then("customers are served again, without a person", promises=WITHOUT_A_PERSON)
def _served_without_a_person(scenario: ScenarioRun) -> None:
    scenario.customers.await_service()


@then(
    "customers are served again by the platform itself",
    promises=in_time("self-recovery", "service once the fault has ended"),
)
def _served_by_itself(scenario: ScenarioRun) -> None:
    scenario.customers.await_settled()


@when("the health of the platform is verified", needs=(HEALTH,))
def _health_verified(scenario: ScenarioRun) -> None:
    scenario.verify_health()


promise("customers are served again within the recovery time of {tier}", recovery_time)
promise("no more is lost than the recovery point of {tier} allows", recovery_point, needs=(Archive, Positioned))
promise("no more is lost this time than the recovery point of {tier} allows", loss)
promise("nothing that was acknowledged is lost", at_most(0.0, "no-loss", "nothing that was acknowledged is lost"))
promise(
    "customers were told nothing wrong for longer than the plan gives for detection",
    in_time("wrong-answers", "wrong answers to customers"),
)
promise(
    "restoration is confirmed within the time that the plan gives",
    in_time("confirmation", "confirmation of the restoration"),
)
promise("every health check answers within the time that the plan gives it", health)
promise(
    "health does not say that all is well while no customer is served",
    right("honest-health", "health says what customers see"),
    needs=(HEALTH,),
)
promise("the bad seconds are within what {tier} may have in a year", downtime_of_a_year)
