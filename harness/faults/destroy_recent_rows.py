"""An operator's mistake: one transaction, run by hand, destroys the rows of the last hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import BY_RECOVERY, Undo
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Queried
from harness.system.clock import Moment


@dataclass(frozen=True)
class DestroyRecentRows:
    """What a project says of its own rows: the `statements` that destroy them, run by `operator` in one transaction.

    `sound` is a query for the number of rows that are as they should be, which the statements leave few of, among those
    that were there at `%(at)s`, so that what customers add afterwards stands in for none that is gone; `moment` is one
    for that moment, by the database's own clock. `rows` says in words which rows these are.
    """

    operator: str
    statements: tuple[str, ...]
    moment: str
    sound: str
    rows: str
    needs: ClassVar[tuple[Any, ...]] = (Queried,)
    name = "destroy_recent_rows"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = True

    def prepare(self, stack: Stack) -> Undo:
        """Counts the rows at stake. No command undoes what is committed: the recovery procedure is the undo."""
        at = str(self._asked(stack, self.moment))
        return {"at": at, "sound": self._sound(stack, at)}

    def affects(self, undo: Undo) -> list[str]:
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Nobody sees anything of it before it commits; customers only add rows, and wait for none of these."""
        return need(stack, Queried).run_as(self.operator, self.statements)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """It took effect when most are gone."""
        left = self._sound(stack, undo["at"])
        if left >= undo["sound"] // 2:
            return ""
        return f"of {undo['sound']} sound {self.rows}, {left} are left"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """What was destroyed comes back by the recovery procedure alone; there is nothing to switch off."""

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """All that were sound are so again. Errors: `NotReady`, or the driver's own, where the database is away."""
        missing = undo["sound"] - self._sound(stack, undo["at"])
        if missing <= 0:
            return ""
        return f"of {undo['sound']} sound {self.rows}, {missing} are missing: they come back {BY_RECOVERY}"

    def _sound(self, stack: Stack, at: str) -> int:
        return int(str(self._asked(stack, self.sound, at=at) or 0))

    def _asked(self, stack: Stack, query: str, **words: str) -> object:
        """The one figure that a query answers with; None where it answers nothing."""
        with need(stack, Queried).connect() as connection:
            row = connection.execute(query.encode(), words or None).fetchone()
        return row[0] if row else None
