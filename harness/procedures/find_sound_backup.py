"""Find the last sound backup by verification, and not by its age: damage that was replicated is in the newest, too.

Newest first, each base backup is restored into a place beside, recovered no further than it must be, and looked at: its
objects, tables and indexes, books and pages. The first one in which all is right is the last sound one; between where
it was sound and the end of the one after it the damage came. What is looked at here serves nobody and is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from harness.errors import DrillError
from harness.procedures import Facts
from harness.procedures.looks import BOOKS, PAGES, STRUCTURE, Look, not_sound, sound, taken
from harness.procedures.reconciliation import ReconciledState, Reconciliation, unlike
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive, Backup, BaseBackups
from harness.stacks.capabilities.database import Restorable, RestoreTarget
from harness.stacks.needs import Zones
from harness.stacks.parts import wal
from harness.system import clock, wait
from harness.system.recorder import Recorder

RECOVERY_LIMIT = timedelta(minutes=10)
OBJECTS = "objects"
LOOKS = (OBJECTS, STRUCTURE, BOOKS, PAGES)  # in this order: for the pages the database has to be stopped


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
            looks = self._try(backup)
            wrong = not_sound(looks)
            self.recorder.record(
                "backup.tried", backup=backup.id, made=clock.utc_text(backup.ended), begin=backup.begin,
                end=backup.end, ok=not wrong, checks=[asdict(look) for look in looks],
            )  # fmt: skip  # arguments in groups
            if not wrong:
                self.found, self.stretch = backup, self._stretch(backup, until)
                return {"backup": backup.id, "made": clock.utc_text(backup.ended), "refused": refused}
            refused[backup.id] = wrong
            if all(look.ok for look in looks if look.name == OBJECTS):
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

    def _try(self, backup: Backup) -> list[Look]:
        """One that finds something does not end the others, as far as they can be taken."""
        looks: list[Look] = []
        if OBJECTS not in self.unlooked:
            looks.append(taken(OBJECTS, lambda: self._objects(backup)))
        if not_sound(looks) or self.unlooked >= {STRUCTURE, BOOKS, PAGES}:
            return looks
        place = need(self.stack, Restorable).restore_target(zones(self.stack)[0])
        try:
            self._restore(backup, place)
            how: dict[str, Callable[[], str]] = {
                STRUCTURE: place.verify_structure,
                BOOKS: lambda: self._books(place),
                PAGES: lambda: self._pages(place),
            }
            looks += [taken(name, look) for name, look in how.items() if name not in self.unlooked]
        except DrillError as error:
            looks.append(Look("restored", False, error.message))
        finally:
            place.stop()
        return looks

    def _objects(self, backup: Backup) -> str:
        damages = [f"{each.key}: {each.what}" for each in need(self.stack, BaseBackups).check(backup)]
        return sound(damages, "each is what was recorded when it was made")

    def _restore(self, backup: Backup, place: RestoreTarget) -> None:
        """Up to its own end, or up to the last check where that is later: before it the books cannot be compared."""
        need(self.stack, BaseBackups).restore(backup, place)
        later = wal.position(self.before.position) > backup.end
        own_end = {"recovery_target": "immediate", "recovery_target_timeline": "current"}
        target = {"recovery_target_lsn": self.before.position} if later else own_end
        place.recover(
            fetch=need(self.stack, Archive).fetch_command(), target={**target, "recovery_target_action": "promote"}
        )
        wait.until(
            place.recovered, what=f"the backup {backup.id} can be looked at", within=RECOVERY_LIMIT,
            recorder=self.recorder,
        )  # fmt: skip  # arguments in groups

    def _books(self, place: RestoreTarget) -> str:
        with place.connect() as connection:
            return sound(unlike(self.reconciliation, connection, self.before))

    def _pages(self, place: RestoreTarget) -> str:
        place.stop()
        return place.verify_pages()
