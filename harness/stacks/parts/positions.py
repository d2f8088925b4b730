"""How far the database has written, and on which timeline: asked of the leader, or of any member."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.stacks.capabilities.database import Connected, Member
from harness.stacks.parts import wal

NOW = "SELECT pg_current_wal_lsn()::text"
SEGMENT = "SELECT pg_walfile_name(pg_current_wal_lsn())"  # its first 8 hex digits are the timeline
SWITCH = "SELECT pg_switch_wal()::text"


class PostgresPositions:
    """Fills the protocol Positioned."""

    words: Mapping[str, str] = MappingProxyType(
        {"position": "place in the WAL", "history": "timeline", "histories": "timelines"}
    )

    def __init__(self, database: Connected) -> None:
        self._database = database

    def positions(self) -> LeaderPositions:
        """For a look at the leader's again and again."""
        return LeaderPositions(self._database)

    def history(self, member: Member) -> int:
        """Its timeline. Errors: `psycopg.Error`."""
        return wal.segment_at(self._one(SEGMENT, member))[0]

    def hand_over(self) -> int:
        """Have the leader's segment archived as it is. Errors: `NotReady`, `psycopg.Error`."""
        return wal.position(self._one(SWITCH))

    def _one(self, query: str, member: Member | None = None) -> str:
        with self._database.connect(member) as connection:
            return str(connection.execute(query).fetchone()[0])


class LeaderPositions:
    """One connection, which is made anew where it was closed."""

    def __init__(self, database: Connected) -> None:
        self._database = database
        self._connection: Any = None

    def now(self) -> int:
        """Errors: `NotReady`, `psycopg.Error`; whoever meets one closes it."""
        self._connection = self._connection or self._database.connect()
        return wal.position(self._connection.execute(NOW).fetchone()[0])

    def close(self) -> None:
        """Harmless when repeated."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
