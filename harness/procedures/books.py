"""What a recovery must know of the platform's data: how to check it, and how to carry late writes over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import psycopg

Figures = dict[str, Any]  # name to a JSON value


@dataclass(frozen=True)
class SoundBooks:
    """The books as the last check before a disaster found them: a team has these from its own monitoring."""

    last_id: int  # rows up to this one are covered by the figures
    lsn: str  # the write-ahead log's position at the check
    timeline: int  # and its timeline
    figures: Figures


@dataclass(frozen=True)
class StoredRow:
    """One customer's transaction as the database has it."""

    number: int
    source: int
    target: int
    amount: Decimal
    created: datetime


class Books(Protocol):
    """The platform's data, as its keepers see it."""

    table: str  # with its schema

    def check(self, connection: psycopg.Connection[Any], *, last_id: int | None = None) -> SoundBooks:
        """All figures, over the rows up to `last_id` (now's last where None)."""

    def discrepancies(self, connection: psycopg.Connection[Any]) -> list[str]:
        """What does not add up, in words; cheap enough to be asked every second."""

    def differences(self, sound: SoundBooks, found: SoundBooks) -> list[str]:
        """Where two checks over the same rows disagree, in words."""

    def rows(self, connection: psycopg.Connection[Any], *, origin: str) -> Iterator[StoredRow]:
        """What is stored of one origin's transactions, in order of number, as a stream."""

    def salvage(
        self, damaged: psycopg.Connection[Any], restored: psycopg.Connection[Any], *, since: datetime
    ) -> tuple[int, Decimal]:
        """Carry over what was committed in `damaged` since then and is not in `restored`: rows, and their amount."""
