"""An operator's mistake: one transaction, run by hand, sets amounts to zero and deletes rows of the last hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql

from harness.faults import Undo
from harness.stacks import Stack


@dataclass(frozen=True)
class DestroyRecentRows:
    """`schema.table` loses the rows whose `moment` lies in the `last` hours: every second amount becomes 0, the
    other rows are deleted, and then those set to zero in the older half are deleted too."""

    schema: str
    table: str
    moment: str
    amount: str
    last: timedelta
    name = "destroy_recent_rows"
    lives = timedelta(minutes=15)
    harms_data = True

    def prepare(self, stack: Stack) -> Undo:
        """Nothing in the database can be undone by hand: the recovery procedure is the undo. Counts the rows at stake."""
        return {"sound": self._sound(stack)}

    def inject(self, stack: Stack, undo: Undo) -> None:
        table, moment, amount = sql.Identifier(self.schema, self.table), sql.Identifier(self.moment), sql.Identifier(self.amount)
        with stack.cluster.connect_as("operator") as connection, connection.transaction():
            connection.execute(
                sql.SQL("UPDATE {} SET {} = 0 WHERE {} >= now() - {} AND id % 2 = 0").format(table, amount, moment, self.last)
            )
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE {} >= now() - {} AND id % 2 = 1").format(table, moment, self.last)
            )

    def bit(self, stack: Stack, undo: Undo) -> str:
        """Customers go on writing, so some sound rows are there again: it bit when most are gone."""
        left = self._sound(stack)
        if left >= undo["sound"] // 2:
            return ""
        return f"of {undo['sound']} sound rows of the last {self.last}, {left} are left"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """Data that was destroyed comes back by the recovery procedure alone; there is nothing to switch off."""

    def _sound(self, stack: Stack) -> int:
        with stack.cluster.connect() as connection:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE {} >= now() - {} AND {} <> 0").format(
                    sql.Identifier(self.schema, self.table), sql.Identifier(self.moment), self.last, sql.Identifier(self.amount)
                )
            ).fetchone()
        return int(row[0]) if row else 0
