"""Find the last sound backup by verification, and not by its age: damage that was replicated is in the newest, too.

Newest first, each base backup is restored into a place beside, recovered no further than it must be, and looked at: its
objects, tables and indexes, books and pages. The first one in which all is right is the last sound one; between where
it was sound and the end of the one after it the damage came. What is looked at here serves nobody and is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from harness.errors import DrillError
from harness.procedures import Facts
from harness.procedures.reconciliation import ReconciledState, Reconciliation
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, Backup, BaseBackups
from harness.stacks.capabilities.database import Restorable, RestoreTarget
from harness.stacks.needs import Zones
from harness.stacks.parts import wal
from harness.system import clock, wait
from harness.system.recorder import Recorder

RECOVERY_LIMIT = timedelta(minutes=10)
OBJECTS, STRUCTURE, BOOKS, PAGES = "objects", "tables and indexes", "books", "pages"
LOOKS = (OBJECTS, STRUCTURE, BOOKS, PAGES)  # in this order: for the pages the database has to be stopped

Check = dict[str, Any]  # {name, ok, seen}


class NoSoundBackup(DrillError):
    """No base backup holds what the last check of the books saw."""


class Stretch(NamedTuple):
    """Where the damage came: after `since` on the history `history`, and by `until` where a later backup has it."""

    since: int
    history: int
    until: int | None


@dataclass
class FindSoundBackup:
    """One search. `before` is the last check of the books that is believed.

    `unlooked` exists for sabotage twins alone: what no backup is looked at for.
    """

    needs: ClassVar[tuple[Any, ...]] = (Zones(1), Restorable, BaseBackups, Archive)
    stack: Stack
    reconciliation: Reconciliation
    before: ReconciledState
    recorder: Recorder
    unlooked: frozenset[str] = frozenset()
    found: Backup | None = field(init=False, default=None)
    stretch: Stretch | None = field(init=False, default=None)

    def run(self) -> Facts:
        """Try one after the other. Errors: `NoSoundBackup`."""
        until: int | None = None
        refused: dict[str, list[str]] = {}
        for backup in reversed(need(self.stack, BaseBackups).backups()):
            checks = self._try(backup)
            wrong = [f"{check['name']}: {check['seen']}" for check in checks if not check["ok"]]
            self.recorder.record(
                "backup.tried", backup=backup.id, made=clock.utc_text(backup.ended), begin=backup.begin,
                end=backup.end, ok=not wrong, checks=checks,
            )  # fmt: skip  # arguments in groups
            if not wrong:
                self.found, self.stretch = backup, self._stretch(backup, until)
                return {"backup": backup.id, "made": clock.utc_text(backup.ended), "refused": refused}
            refused[backup.id] = wrong
            if not any(check["name"] == OBJECTS and not check["ok"] for check in checks):
                until = backup.end  # what cannot be read does not show that the damage is older
        raise NoSoundBackup(
            "no base backup is sound: "
            + ("; ".join(f"{id}: {', '.join(why)}" for id, why in refused.items()) or "there is none at all"),
            hint="look for older backups elsewhere before anything else is changed",
        )

    def _stretch(self, backup: Backup, until: int | None) -> Stretch:
        at, checked = backup.end, wal.position(self.before.position)
        if checked > at:
            return Stretch(checked, self.before.history, until)
        return Stretch(at, wal.segment_at(backup.first_file)[0], until)

    def _try(self, backup: Backup) -> list[Check]:
        """What each look saw. One that finds something does not end the others, as far as they can be made."""
        checks: list[Check] = []
        if OBJECTS not in self.unlooked:
            damages = [f"{each.key}: {each.what}" for each in need(self.stack, BaseBackups).check(backup)]
            checks.append(_check(OBJECTS, damages, "each is what was recorded when it was made"))
        if not all(check["ok"] for check in checks) or self.unlooked >= {STRUCTURE, BOOKS, PAGES}:
            return checks
        place = need(self.stack, Restorable).restore_target(zones(self.stack)[0])
        try:
            self._restore(backup, place)
            looks: dict[str, Callable[[], str]] = {
                STRUCTURE: place.verify_structure,
                BOOKS: lambda: self._books(place),
                PAGES: lambda: self._pages(place),
            }
            checks += [_looked(name, look) for name, look in looks.items() if name not in self.unlooked]
        except DrillError as error:
            checks.append(_check("restored", [error.message], ""))
        finally:
            place.stop()
        return checks

    def _restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Up to its own end, or up to the last check where that is later: before it the books cannot be compared."""
        need(self.stack, BaseBackups).restore(backup, place)
        later = wal.position(self.before.position) > backup.end
        target = {"recovery_target_lsn": self.before.position} if later else {"recovery_target": "immediate"}
        place.recover(
            fetch=need(self.stack, Archive).fetch_command(), target={**target, "recovery_target_action": "promote"}
        )
        wait.until(
            place.recovered, what=f"the backup {backup.id} can be looked at", within=RECOVERY_LIMIT,
            recorder=self.recorder,
        )  # fmt: skip  # arguments in groups

    def _books(self, place: RestoreTarget) -> str:
        with place.connect() as connection:
            wrong = self.reconciliation.discrepancies(connection)
            found = self.reconciliation.check(connection, last=self.before.last)
        wrong += self.reconciliation.differences(self.before, found)
        if wrong:
            raise DrillError("; ".join(wrong), hint="take the backup before")
        return "as at the last check"

    def _pages(self, place: RestoreTarget) -> str:
        place.stop()
        return place.verify_pages()


def _looked(name: str, look: Callable[[], str]) -> Check:
    try:
        return _check(name, [], look() or "nothing found")
    except DrillError as error:
        return _check(name, [error.message], "")


def _check(name: str, wrong: list[str], sound: str) -> Check:
    return {"name": name, "ok": not wrong, "seen": "; ".join(wrong) or sound}
