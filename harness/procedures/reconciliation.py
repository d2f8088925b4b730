"""What a recovery must know of the platform's data: how to check it, and how to carry late writes over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import psycopg

Figures = dict[str, Any]  # name to a JSON value


@dataclass(frozen=True)
class ReconciledState:
    """The data as the last check before a disaster found it: a team has these from its own monitoring."""

    last_id: int  # rows up to this one are covered by the figures
    lsn: str  # the write-ahead log's position at the check
    timeline: int  # and its timeline
    figures: Figures


class Reconciliation(Protocol):
    """What must agree before and after a disaster, as the keepers of the platform's data see it."""

    table: str  # with its schema

    def check(self, connection: psycopg.Connection[Any], *, last_id: int | None = None) -> ReconciledState:
        """All figures, over the rows up to `last_id` (now's last where None)."""

    def discrepancies(self, connection: psycopg.Connection[Any]) -> list[str]:
        """What does not add up, in words; cheap enough to be asked every second."""

    def differences(self, before: ReconciledState, found: ReconciledState) -> list[str]:
        """Where two checks over the same rows disagree, in words."""

    def salvage(
        self, damaged: psycopg.Connection[Any], restored: psycopg.Connection[Any], *, since: datetime
    ) -> tuple[int, Decimal]:
        """Carry over what was committed in `damaged` since then and is not in `restored`: rows, and their amount."""
