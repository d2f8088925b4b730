"""Database Backup Restoration, where the files of a database server are damaged: what its sentences mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from drills import noticing
from drills.noticing import UNREADABLE, DatabaseLog
from drills.reconciliation import ACCOUNTS, TABLE
from drills.roles import COMMANDER
from harness.faults.corrupt_page import CorruptPage, How
from harness.faults.lose_files import LoseFiles
from harness.features.sentences import Approval, Sentences
from harness.procedures import NO_STACK, Procedure
from harness.procedures.looks import BOOKS, STRUCTURE
from harness.procedures.replace_damaged_server import ReplaceDamagedServer, looked_at
from harness.sentences.promises import in_time, right
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.database import Cluster, FilesLost, LogReadable, Member, Queried, Switched, Verified
from harness.stacks.needs import HEALTH, Copies
from harness.system import wait
from harness.system.recorder import Memory

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
when, then, promise = SENTENCES.when, SENTENCES.then, SENTENCES.promise

DAMAGES: dict[str, How] = {
    "a byte is flipped on a page of a table on the leader's disk": "flip a byte",
    "a page of a table on the leader's disk is zeroed": "zero",
    "a page of another table takes the place of one on the leader's disk": "page of another relation",
}
WRITTEN = timedelta(seconds=20)
COUNTED = "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database"
SHOWN_AS_EMPTY = (
    "SET zero_damaged_pages = on",
    "ALTER SYSTEM SET zero_damaged_pages = on",
    "SELECT pg_reload_conf()",
    f"SELECT count(*) FROM {TABLE}",
)


# When: what happens


def _damaged(how: How) -> Callable[[ScenarioRun], DatabaseLog]:
    def damage(scenario: ScenarioRun) -> DatabaseLog:
        log = DatabaseLog(need(scenario.leader.before, LogReadable).database_log, trouble=UNREADABLE, of="")
        other = ACCOUNTS if how == "page of another relation" else ""
        copies = [each.name for each in need(scenario.stack, Cluster).members if each.zone != scenario.leader.zone]
        if scenario.sabotage.copies_damaged:
            _written_down(scenario)
        for name in copies if scenario.sabotage.copies_damaged else ():
            scenario.faults.inject(CorruptPage(TABLE, how, scenario.seed, other=other, member=name))
        scenario.faults.inject(CorruptPage(TABLE, how, scenario.seed, other=other))
        return log

    return damage


def _written_down(scenario: ScenarioRun) -> None:
    """Every server has on its disk what was written until now: else a copy that has to be started anew, so that it
    forgets a page, would mend the page by replaying it."""
    database = need(scenario.stack, Queried)
    with database.connect() as connection:
        connection.execute("CHECKPOINT")
        (until,) = connection.execute("SELECT redo_lsn::text FROM pg_control_checkpoint()").fetchone()

    def written(member: Member) -> bool:
        with database.connect(member) as connection:
            connection.execute("CHECKPOINT")
            query = "SELECT redo_lsn >= %s::pg_lsn FROM pg_control_checkpoint()"
            return bool(connection.execute(query, (until,)).fetchone()[0])

    members = need(scenario.stack, Cluster).members
    wait.until(
        lambda: all(map(written, members)), what="all is written down", within=WRITTEN, recorder=scenario.journal
    )


for said, how in DAMAGES.items():  # a sentence each, so that one that is misspelt is known before anything starts
    when(said, needs=(CorruptPage, LogReadable, Queried), returns="log")(_damaged(how))


LOSSES: dict[str, FilesLost] = {
    "the control file of the leader is gone": "control file",
    "the whole write-ahead log of the leader is gone": "log of changes",
}


def _lost(which: FilesLost) -> Callable[[ScenarioRun], None]:
    def lose(scenario: ScenarioRun) -> None:
        scenario.faults.inject(LoseFiles(which, scenario.leader.before.name))

    return lose


for said, which in LOSSES.items():
    when(said, needs=(LoseFiles,))(_lost(which))


# Then: how it is noticed


@then(
    "those who look after the database notice it",
    needs=(Cluster, Queried, Verified, LogReadable),
    promises=in_time("noticed", "the damage is noticed"),
)
def _notice(scenario: ScenarioRun, log: DatabaseLog) -> None:
    """Each by itself; the log and the count see only what somebody has read."""
    leader = scenario.leader.before

    def counted() -> str:
        with need(scenario.stack, Queried).connect(leader) as connection:
            (failures,) = connection.execute(COUNTED).fetchone()
        return f"{failures} failed checksums" if failures else ""

    def found(look: str) -> Callable[[], str]:
        def ask() -> str:
            (seen,) = looked_at(scenario.stack, leader, scenario.data.unlike_before, looks=(look,))
            return "" if seen.ok else seen.seen

        return ask

    looks = {
        noticing.STRUCTURE: found(STRUCTURE),
        noticing.COMPARISON: found(BOOKS),
        noticing.LOG: log.look,
        noticing.FAILURES: counted,
    }
    scenario.detection.await_any(looks, within=scenario.plan.time_for("noticed"))


# When: how it is repaired


def _shown() -> Procedure:
    return ReplaceDamagedServer(NO_STACK, lambda connection: [], Memory()).procedure()


@when(
    "each copy is proved sound, and one of these is handed the lead",
    needs=(ReplaceDamagedServer, Copies(1)),
    asks=Approval("Hand the lead to a copy that was proved sound?", COMMANDER),
    promises=right("copy-proved", "no copy leads that was not proved sound", "CON-2"),
    carries_out=_shown,
    returns="replacement",
)
def _handed_over(scenario: ScenarioRun) -> Procedure:
    scenario.faults.still_active()
    if scenario.sabotage.hidden:
        with need(scenario.stack, Queried).connect(scenario.leader.before) as connection:
            for statement in SHOWN_AS_EMPTY:
                connection.execute(statement)
    replacement = ReplaceDamagedServer(
        scenario.stack, scenario.data.unlike_before, scenario.journal, skip=scenario.sabotage.without
    ).procedure()
    scenario.follow(replacement, "replace")
    return replacement


@when(
    "each server is proved sound, and one of these leads",
    needs=(ReplaceDamagedServer,),
    asks=Approval("Hand the lead to a copy that was proved sound, where none has taken it?", COMMANDER),
    carries_out=_shown,
    returns="replacement",
)
def _a_sound_one_leads(scenario: ScenarioRun) -> Procedure:
    """A cluster may have let a copy lead by itself, before anybody could prove it: then that one is proved now."""
    replacement = ReplaceDamagedServer(
        scenario.stack, scenario.data.unlike_before, scenario.journal, skip=scenario.sabotage.without
    ).procedure()
    scenario.follow(replacement, "replace")
    return replacement


@when("a base backup is taken, for what was lost with the log may be missing in the archive", needs=(BaseBackups,))
def _backed_up_anew(scenario: ScenarioRun) -> None:
    scenario.data.back_up()


@when(
    "what is damaged is rebuilt from it",
    needs=(ReplaceDamagedServer,),
    promises=right("server-rebuilt", "what was damaged is made anew"),
)
def _rebuilt(scenario: ScenarioRun, replacement: Procedure) -> None:
    scenario.follow(replacement, "rebuild")


@when(
    "every server is proved sound",
    needs=(ReplaceDamagedServer, HEALTH),
    promises=right("verified", "verified before it serves", "CON-2"),
)
def _proved(scenario: ScenarioRun, replacement: Procedure) -> None:
    scenario.follow(replacement, "verify")
    if scenario.sabotage.handed_back:
        scenario.leader.await_rejoined()
        need(scenario.stack, Switched).switch(scenario.leader.before)
    scenario.verify_health()
