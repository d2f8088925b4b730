"""Silent damage that replicates: one transaction of a faulty job alters old rows, and the books still add up.

Every checksum is right, every index agrees with its table, and each copy gets it like any other transaction. Only a
comparison with what the books said before shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from harness.faults import BY_RECOVERY, Undo
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Member, Queried
from harness.system import wait
from harness.system.clock import Moment

REPLAYED_WITHIN = timedelta(seconds=20)  # a copy may be a moment behind the leader


@dataclass(frozen=True)
class AlterRows:
    """What a project says of its own rows: the `statements` that alter some, run by `person` in one transaction.

    `digest` is a query for one text over every row that was there long before `%(at)s`, which tells whether any of them
    is another; `moment` is one for that moment, by the database's own clock. `rows` says in words which rows these are.
    """

    person: str
    statements: tuple[str, ...]
    moment: str
    digest: str
    rows: str
    needs: ClassVar[tuple[Any, ...]] = (Cluster, Queried)
    name = "alter_rows"
    ttl = timedelta(minutes=15)
    harms_data = True
    logical = True

    def prepare(self, stack: Stack) -> Undo:
        """The digest of the rows as they are. No command undoes what is committed: the recovery procedure does."""
        at = _asked(stack, self.moment)
        return {"at": at, "digest": _asked(stack, self.digest, at=at)}

    def affects(self, undo: Undo) -> list[str]:
        """Nothing that a monitoring of components could name."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> Moment | None:
        """Nobody sees anything of it before it commits."""
        return need(stack, Queried).run_as(self.person, self.statements)

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        """It took effect when no server has the rows as they were, no copy either."""
        members = need(stack, Cluster).members

        def altered() -> bool:
            return all(self._altered(stack, undo, member) for member in members)

        if not self._altered(stack, undo) or not wait.poll(altered, within=REPLAYED_WITHIN):
            return ""
        return f"the digest of the {self.rows} is another than before on {', '.join(each.name for each in members)}"

    def heal(self, stack: Stack, undo: Undo) -> None:
        """What was altered comes back by the recovery procedure alone; there is nothing to switch off."""

    def still_hurt(self, stack: Stack, undo: Undo) -> str:
        """All of them are as they were. Errors: `NotReady`, or the driver's own, where the database is away."""
        if not self._altered(stack, undo):
            return ""
        return f"the {self.rows} are not what they were: they come back {BY_RECOVERY}"

    def _altered(self, stack: Stack, undo: Undo, member: Member | None = None) -> bool:
        return _asked(stack, self.digest, member, at=undo["at"]) != str(undo["digest"])


def _asked(stack: Stack, query: str, member: Member | None = None, **words: str) -> str:
    """The one text that a query answers with; empty where it answers nothing."""
    with need(stack, Queried).connect(member) as connection:
        row = connection.execute(query.encode(), words or None).fetchone()
    return str(row[0]) if row else ""
