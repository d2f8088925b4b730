"""An operator's mistake: one transaction, run by hand, destroys the rows of the last hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import Undo
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Queried
from harness.system.clock import Moment


@dataclass(frozen=True)
class DestroyRecentRows:
    """What a project says of its own rows: the `statements` that destroy them, run by `operator` in one transaction.

    `sound` is a query for the number of rows that are as they should be, which the statements leave few of; `rows` says
    in words which rows these are.
    """

    operator: str
    statements: tuple[str, ...]
    sound: str
    rows: str
    needs: ClassVar[tuple[Any, ...]] = (Queried,)
    name = "destroy_recent_rows"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = True

    def prepare(self, stack: Stack) -> Undo:
        """Counts the rows at stake. No command undoes what is committed: the recovery procedure is the undo."""
        return {"sound": self._sound(stack)}

    def affects(self, undo: Undo) -> list[str]:
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Nobody sees anything of it before it commits; customers only add rows, and wait for none of these."""
        return need(stack, Queried).run_as(self.operator, self.statements)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Customers go on writing, so some sound rows are there again: it took effect when most are gone."""
        left = self._sound(stack)
        if left >= undo["sound"] // 2:
            return ""
        return f"of {undo['sound']} sound {self.rows}, {left} are left"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """What was destroyed comes back by the recovery procedure alone; there is nothing to switch off."""

    def _sound(self, stack: Stack) -> int:
        with need(stack, Queried).connect() as connection:
            row = connection.execute(self.sound.encode()).fetchone()
        return int(row[0]) if row else 0
