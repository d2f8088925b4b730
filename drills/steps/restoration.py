"""Database Backup Restoration: what its sentences mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drills import noticing
from drills.changes import RESTORE_DATABASE
from drills.mistake import old_amounts_altered, old_transaction_changed, recent_transactions_destroyed
from drills.promises import backup_frequency
from drills.reconciliation import RECONCILIATION, TABLE
from drills.roles import COMMANDER
from harness.faults.alter_rows import AlterRows
from harness.faults.damage_stored_object import DamageStoredObject
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.faults.lose_volumes import LoseVolumes
from harness.features.sentences import Approval, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.find_sound_backup import FindSoundBackup
from harness.procedures.reconciliation import ReconciledState
from harness.procedures.restore_database import RestoreDatabase
from harness.sentences.promises import right
from harness.sentences.service import CUSTOMERS
from harness.stacks.capabilities.backups import Archive, BaseBackups
from harness.stacks.capabilities.database import Connected, LogReadable, Positioned
from harness.stacks.needs import HEALTH
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, when, then, promise = SENTENCES.given, SENTENCES.when, SENTENCES.then, SENTENCES.promise

DAMAGES = {
    "a byte is flipped in the latest base backup": DamageStoredObject("latest base backup", "flip a byte"),
    "an object of the latest base backup is deleted": DamageStoredObject("latest base backup", "delete"),
    "a byte is flipped in a WAL segment archived after it": DamageStoredObject(
        "archived file after the latest base backup", "flip a byte"
    ),
    "a WAL segment archived after it is damaged, and no sound version of it is left": DamageStoredObject(
        "archived file after the latest base backup", "flip a byte", keep_versions=False
    ),
}


@dataclass(frozen=True)
class Recovery:
    """A restoration and its list of steps, from one sentence to the next."""

    restoration: RestoreDatabase
    procedure: Procedure


# Given


@given(
    "a base backup was taken, and the books were checked",
    needs=(BaseBackups, Archive, Connected, Positioned, *CUSTOMERS),
)
def _backed_up(scenario: ScenarioRun) -> None:
    scenario.data.back_up()
    scenario.data.check(RECONCILIATION)
    scenario.customers.serve_archived()


# When: what happens


@when("an operator's mistake destroys the last {hours:d} hours of financial transactions", needs=(DestroyRecentRows,))
def _mistake(scenario: ScenarioRun, hours: int) -> None:
    scenario.faults.inject(recent_transactions_destroyed(hours))


@when("the database volumes of all zones are lost", needs=(LoseVolumes,))
def _volumes_lost(scenario: ScenarioRun) -> None:
    if scenario.sabotage.no_sound_backup:
        scenario.faults.inject(DamageStoredObject("every base backup", "flip a byte", keep_versions=False))
    scenario.faults.inject(LoseVolumes())


@when("a faulty job alters old amounts and balances, and every account still adds up", needs=(AlterRows,))
def _altered(scenario: ScenarioRun) -> None:
    scenario.faults.inject(old_amounts_altered())


@when("the next base backup is taken, and nobody notices", needs=(BaseBackups, Connected))
def _backed_up_again(scenario: ScenarioRun) -> None:
    scenario.data.back_up()


def _damaged(fault: DamageStoredObject) -> Callable[[ScenarioRun], None]:
    def damage(scenario: ScenarioRun) -> None:
        scenario.faults.inject(fault)

    return damage


for said, fault in DAMAGES.items():  # a sentence each, so that one that is misspelt is known before anything starts
    when(f"{said}, and nobody notices", needs=(fault,))(_damaged(fault))


# Then: how it is noticed


@then("the consistency checks notice it", needs=(Connected,))
def _consistency_notices(scenario: ScenarioRun) -> None:
    scenario.detection.await_check(noticing.adds_up(scenario), by=noticing.BOOKS)


@then(
    "the books add up, and only a comparison with the last check notices it",
    needs=(Connected,),
    promises=right("noticed", "the damage is noticed"),
)
def _comparison_notices(scenario: ScenarioRun) -> None:
    looks = {noticing.BOOKS: noticing.adds_up(scenario), noticing.COMPARISON: noticing.as_at_the_last_check(scenario)}
    scenario.detection.await_any(looks, longer=timedelta(0))  # each sees all at once, or never


# When: how it is recovered


def _restoration(mistaken: str, *, searched: bool = False) -> Procedure:
    before = ReconciledState(last=0, position="0/0", history=1, values={}, size={})
    search = FindSoundBackup(NO_STACK, RECONCILIATION, before, Memory()) if searched else None
    return RestoreDatabase(NO_STACK, RECONCILIATION, before, Memory(), mistaken, search).procedure()


@when(
    "the writers are stopped and the database is restored to just before the mistake",
    needs=(RestoreDatabase, LogReadable),
    asks=Approval("Stop the writers and restore to just before the mistake?", COMMANDER),
    carries_out=lambda: _restoration(TABLE),
    returns="recovery",
)
def _restored_before_mistake(scenario: ScenarioRun) -> Recovery:
    return _restore(scenario, TABLE)


@when(
    "the writers are stopped, and the database is restored from the last backup that is verified sound to just before"
    " the damage",
    needs=(RestoreDatabase, FindSoundBackup, LogReadable),
    asks=Approval("Stop the writers and restore from the last sound backup to just before the damage?", COMMANDER),
    carries_out=lambda: _restoration(TABLE, searched=True),
    returns="recovery",
)
def _restored_before_damage(scenario: ScenarioRun) -> Recovery:
    search = FindSoundBackup(
        scenario.stack, RECONCILIATION, scenario.data.before, scenario.journal, unlooked=scenario.sabotage.unlooked
    )
    return _restore(scenario, TABLE, search=search)


@when(
    "the database is restored from the latest sound backup and everything archived",
    needs=(RestoreDatabase,),
    asks=Approval("Restore from the latest sound backup and everything archived?", COMMANDER),
    carries_out=lambda: _restoration(""),
    returns="recovery",
)
def _restored_to_the_end(scenario: ScenarioRun) -> Recovery:
    return _restore(scenario, "")


@when(
    "the restored database is verified",
    needs=(RestoreDatabase,),
    promises=right("verified", "verified before it serves", "CON-2"),
)
def _verified(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.procedure, "verify")


@when("what customers wrote after the mistake is salvaged", needs=(RestoreDatabase,))
@when("what customers wrote after the damage is salvaged", needs=(RestoreDatabase,))
def _salvaged(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.procedure, "salvage")


@when(
    "the restored database is put in service",
    needs=(RestoreDatabase, HEALTH),
    promises=right("in-service", "the restored database serves"),
)
def _served(scenario: ScenarioRun, recovery: Recovery) -> None:
    scenario.follow(recovery.procedure, "serve")
    if scenario.sabotage.altered:
        scenario.data.ask(old_transaction_changed)
    scenario.verify_health()


def _restore(scenario: ScenarioRun, mistaken: str, *, search: FindSoundBackup | None = None) -> Recovery:
    restoration = RestoreDatabase(
        scenario.stack,
        RECONCILIATION,
        scenario.data.before,
        scenario.journal,
        mistaken,
        search,
        changes=RESTORE_DATABASE,
        skip=scenario.sabotage.without,
        earlier=scenario.sabotage.earlier,
        silent=scenario.sabotage.silent,
    )
    recovery = Recovery(restoration, restoration.procedure())
    scenario.follow(recovery.procedure, "restore")
    scenario.data.export("recovered", restoration.restored.connect)
    return recovery


promise(
    "nothing that customers wrote after the mistake is missing",
    right("salvage", "late writes are carried over"),
)
promise(
    "nothing that customers wrote after the damage is missing",
    right("salvage", "late writes are carried over"),
)
promise(
    "the last sound backup was found by verification, and not by its age",
    right("sound-backup", "the last sound backup", "PIT-1", "CON-2"),
)
promise("the database was restored to exactly the ordered point", right("exactness", "ordered point", "PIT-3"))
promise(
    "the damage was found before anything was restored from it",
    right("damage-found", "sound backups", "PIT-1", "PIT-2"),
)
promise(
    "transaction data was backed up at least as often as {tier} demands", backup_frequency, needs=(Archive, Positioned)
)
