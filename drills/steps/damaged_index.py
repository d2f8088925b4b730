"""Database Backup Restoration, where an index is damaged: what its sentences mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drills import noticing
from drills.noticing import DatabaseLog
from drills.reconciliation import ACCOUNTS, FAILED_CHECKSUMS, RECONCILIATION, TABLE
from drills.roles import COMMANDER
from harness.faults.corrupt_index import CorruptIndex, How
from harness.faults.corrupt_page import CorruptPage
from harness.features.sentences import Approval, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.rebuild_index import RebuildIndex, damaged_indexes
from harness.sentences.promises import in_time, right
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Connection, LogReadable, Queried
from harness.stacks.needs import HEALTH
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
when, then = SENTENCES.when, SENTENCES.then

INDEX, OTHER = f"{ACCOUNTS}_pkey", f"{TABLE}_pkey"
DAMAGES: dict[str, How] = {
    "a byte is flipped on a page of the index of accounts": "flip a byte",
    "a page of another index takes the place of one of the index of accounts": "page of another index",
}


# When: what happens


def _damaged(how: How) -> Callable[[ScenarioRun], DatabaseLog]:
    def damage(scenario: ScenarioRun) -> DatabaseLog:
        log = DatabaseLog(need(scenario.leader.before, LogReadable).database_log)
        if scenario.sabotage.rows_damaged:
            scenario.faults.inject(CorruptPage(ACCOUNTS, "zero", scenario.seed))
        other = OTHER if how == "page of another index" else ""
        scenario.faults.inject(CorruptIndex(INDEX, how, scenario.seed, other=other))
        return log

    return damage


for said, how in DAMAGES.items():  # a sentence each, so that one that is misspelt is known before anything starts
    when(said, needs=(CorruptIndex, LogReadable), returns="log")(_damaged(how))


# Then: how it is noticed


@then(
    "amcheck, the database's own log and customers each notice it",
    needs=(Cluster, Queried, LogReadable),
    promises=in_time("noticed", "the damage is noticed"),
)
def _each_notices(scenario: ScenarioRun, log: DatabaseLog) -> None:
    def amcheck() -> str:
        with need(scenario.stack, Queried).connect() as connection:
            return "; ".join(f"{index}: {why}" for index, why in damaged_indexes(connection).items())

    scenario.detection.await_checks(
        {
            "index check (amcheck)": amcheck,
            noticing.LOG: log.look,
            "customers who complain": scenario.customers.complaint,
        }
    )


# When: how it is repaired


def _books(scenario: ScenarioRun) -> Callable[[Connection], list[str]]:
    """The database counts the failed checksums of the index, too: the pages of the rows are read by themselves."""

    def differences(connection: Any) -> list[str]:
        found = RECONCILIATION.check(connection, last=scenario.data.before.last)
        found = replace(found, values={**found.values, FAILED_CHECKSUMS: 0})
        return RECONCILIATION.differences(scenario.data.before, found)

    return differences


def _shown() -> Procedure:
    return RebuildIndex(NO_STACK, lambda connection: [], Memory()).procedure()


@when(
    "the rows are proved sound, and the index is rebuilt from them",
    needs=(RebuildIndex,),
    asks=Approval("Rebuild the damaged index from the rows, while customers are served?", COMMANDER),
    promises=right("heap-proved", "no index is rebuilt from rows that were not proved", "CON-2"),
    carries_out=_shown,
    returns="repair",
)
def _rebuilt(scenario: ScenarioRun) -> Procedure:
    scenario.faults.still_active()
    repair = RebuildIndex(scenario.stack, _books(scenario), scenario.journal, skip=scenario.sabotage.without)
    procedure = repair.procedure()
    scenario.follow(procedure, "repair")
    return procedure


@when(
    "every index is proved against its rows, on every server",
    needs=(RebuildIndex, HEALTH),
    promises=right("verified", "every index holds every row, on every server", "CON-2"),
)
def _proved(scenario: ScenarioRun, repair: Procedure) -> None:
    scenario.follow(repair, "verify")
    scenario.follow(repair, "serve")
    scenario.verify_health()
