"""What a recovery must know of the platform's data: how to check it, and how to carry late writes over.

A project fills this; `source` and whatever else it reads from or writes to is what the stack gives, such as a
connection to its database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

Values = dict[str, Any]  # name to a JSON value


@dataclass(frozen=True)
class ReconciledState:
    """The data as the last check before a disaster found it: a team has these from its own monitoring."""

    last: int  # transactions up to this one are covered by the values
    position: str  # how far the database had written at the check, as it writes such a place itself
    history: int  # on which of its histories, a number that grows; 0 where a copy was asked
    values: Values
    size: Mapping[str, int]  # how much there is, by its unit: {"transactions": 200000}


class Salvaged(NamedTuple):
    """What was carried over."""

    rows: int
    amount: Decimal  # the money in them


class Reconciliation(Protocol):
    """What must agree before and after a disaster, as the keepers of the platform's data see it."""

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        """What must agree, in the vocabulary of `harness.checks.reconciliation.Rule`."""

    def check(self, source: Any, *, last: int | None = None) -> ReconciledState:
        """All values, over the transactions up to `last` (now's last where None); a copy may be asked it, too."""

    def discrepancies(self, source: Any) -> list[str]:
        """What does not add up, in words; cheap enough to be asked every second."""

    def differences(self, before: ReconciledState, found: ReconciledState) -> list[str]:
        """Where two checks over the same transactions disagree, in words."""

    def salvage(self, damaged: Any, restored: Any, *, since: datetime) -> Salvaged:
        """Carry over what was committed in `damaged` since then and is not in `restored`."""


class Books(Reconciliation, Protocol):
    """One that a project says in a file, so that sentences of the machine can ask for it."""

    def marked(self, run: str) -> Reconciliation:
        """The same, where what that run has written can be told from all else."""


def unlike(reconciliation: Reconciliation, source: Any, before: ReconciledState) -> list[str]:
    """What of the books, as `source` has them, is not as at the last check, or does not add up by itself: in words."""
    wrong = reconciliation.discrepancies(source)
    return wrong + reconciliation.differences(before, reconciliation.check(source, last=before.last))
