"""Whether what one database server has is the beginning of what another one has written: by their timelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from harness.stacks.capabilities.backups import Branch
from harness.stacks.parts import wal

NOW = "SELECT pg_walfile_name(pg_current_wal_lsn())"
FILE = "SELECT pg_read_file(%s, 0, 1000000, true)"  # without numbers from PostgreSQL 16 on; empty where it is not there


@dataclass(frozen=True)
class History:
    """A timeline, and those that it descends from, oldest first."""

    timeline: int
    past: Sequence[Branch]

    def begins(self, other: History, *, equal: bool) -> bool:
        """Whether a copy of this history can go on along the other.

        `equal`: also where both are on a timeline of the same number. That says nothing by itself: two that are
        promoted at one time give theirs the same number, and whoever lets one follow the other has two databases in
        one, and no word of it.
        """
        path = [*((one.history, one.until) for one in other.past), (other.timeline, 0)]
        own = [(one.history, one.until) for one in self.past]
        if own != path[: len(own)] or len(own) >= len(path) or path[len(own)][0] != self.timeline:
            return False
        return equal or self.timeline != other.timeline

    def left_at(self, other: History) -> int | None:
        """The position at which the other history left this timeline; None where it has not."""
        return next((one.until for one in other.past if one.history == self.timeline), None)


def on_disk(data: Path) -> History:
    """Of a server that is down, by the files of its data directory."""
    files = {wal.history_of(path.name): path for path in (data / "pg_wal").glob("*.history")}
    newest = max(files, default=1)
    return History(newest, wal.branches(files[newest].read_text()) if newest in files else ())


def of_leader(connection: psycopg.Connection[tuple[str]]) -> History:
    """Of a server that takes writes. Errors: `psycopg.Error`."""
    row = connection.execute(NOW).fetchone()
    timeline = wal.segment_at(row[0])[0] if row else 1
    said = connection.execute(FILE, (f"pg_wal/{timeline:08X}.history",)).fetchone()
    return History(timeline, wal.branches(said[0] or "") if said else ())
