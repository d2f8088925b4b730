"""An operator's mistake: one transaction, run by hand, destroys the rows of the last hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString

from harness.faults import Undo
from harness.stacks import Stack
from harness.system.clock import Moment, around

if TYPE_CHECKING:
    from psycopg import sql


@dataclass(frozen=True)
class DestroyRecentRows:
    """Of the rows of `schema.table` whose `moment` lies in the `last` hours, every second amount becomes 0 and the
    others are deleted."""

    schema: str
    table: str
    moment: str
    amount: str
    last: timedelta
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
        with stack.cluster.connect_as("operator") as connection:
            connection.execute("BEGIN")
            connection.execute(
                self._sql("UPDATE {table} SET {amount} = 0 WHERE {moment} >= now() - {last} AND id % 2 = 0")
            )
            connection.execute(self._sql("DELETE FROM {table} WHERE {moment} >= now() - {last} AND id % 2 = 1"))
            return around(lambda: connection.execute("COMMIT"), by="the database: the COMMIT, and its answer")

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """Customers go on writing, so some sound rows are there again: it took effect when most are gone."""
        left = self._sound(stack)
        if left >= undo["sound"] // 2:
            return ""
        hours = f"{self.last / timedelta(hours=1):g} hours"
        return f"of {undo['sound']} sound rows of the last {hours}, {left} are left"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """What was destroyed comes back by the recovery procedure alone; there is nothing to switch off."""

    def _sound(self, stack: Stack) -> int:
        with stack.cluster.connect() as connection:
            query = self._sql("SELECT count(*) FROM {table} WHERE {moment} >= now() - {last} AND {amount} <> 0")
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _sql(self, text: LiteralString) -> sql.Composed:
        from psycopg import sql  # noqa: PLC0415  (see harness.faults)

        return sql.SQL(text).format(
            table=sql.Identifier(self.schema, self.table),
            moment=sql.Identifier(self.moment),
            amount=sql.Identifier(self.amount),
            last=sql.Literal(self.last),
        )
