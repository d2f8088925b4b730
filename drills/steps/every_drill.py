"""Sentences that several drills share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.reconciliation import RECONCILIATION
from harness.features.sentences import Sentences
from harness.sentences.promises import right
from harness.sentences.service import CUSTOMERS
from harness.stacks.capabilities.database import Cluster, Connected
from harness.stacks.needs import Copies

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, then, promise = SENTENCES.given, SENTENCES.then, SENTENCES.promise


@given("the platform serves customers, replicates and archives")
def _serves(scenario: ScenarioRun) -> None:
    scenario.begin()


@given("the books were checked, and customers write", needs=(Connected, *CUSTOMERS))
def _customers_write(scenario: ScenarioRun) -> None:
    scenario.data.check(RECONCILIATION)
    scenario.customers.serve()


@then("the database of another zone leads", needs=(Cluster, Copies(1)))
def _another_leads(scenario: ScenarioRun) -> None:
    scenario.leader.await_another()


promise(
    "the books agree with those from before the disaster",
    right("consistency", "the same books", "CON-1", "CON-2", "CON-3"),
    needs=(Connected,),
)
