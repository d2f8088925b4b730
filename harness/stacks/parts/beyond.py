"""Whether a region that follows another is ready to take over: it streams, is not behind, lives, and has its store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from harness.errors import NotReady
from harness.stacks import Condition
from harness.stacks.capabilities.database import Queried, Standby
from harness.stacks.parts.region import PlatformRegion
from harness.stacks.parts.visitor import Visitor
from harness.system import clock, wait

COMMITS = "SELECT pg_logical_emit_message(true, 'drdrill', 'steady')"
BEHIND = timedelta(seconds=10)
OFTEN = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Beyond:
    """Asks one. `primary`: the database that it follows. `answers`: whether its store does, which has this name.
    `replicates`: whether that has the backups of the region in service, where these are copied to it."""

    region: PlatformRegion
    primary: Queried
    standby: Standby
    store: str
    answers: Callable[[], bool]
    replicates: Callable[[], Condition] | None = None

    def conditions(self) -> list[Condition]:
        zones = [Visitor(self.region.zone_entrance(zone)).alive(f"zone {zone} alive") for zone in self.region.zones]
        follows = self.standby.standing_by()
        behind = [self._behind()] if all(one.ok for one in follows) else []
        there = self.answers()
        store = Condition(self.store, ok=there, seen="answers" if there else "does not answer")
        copied = [self.replicates()] if there and self.replicates else []
        return [*follows, *behind, *zones, store, *copied]

    def _behind(self) -> Condition:
        """Whether what is committed now in the region that leads is soon replayed in this one."""
        name, begin = f"{self.region.name} is not behind", clock.mono()
        try:
            with self.primary.connect() as connection:
                connection.execute(COMMITS)
        except NotReady as error:
            return Condition(name, ok=False, seen=error.message)
        except psycopg.Error as error:
            return Condition(name, ok=False, seen=str(error).strip())

        def there() -> bool:
            age = self.standby.replay_age()
            return age is not None and age <= clock.since(begin)

        ok = wait.poll(there, within=BEHIND, every=OFTEN)
        seconds = f"{clock.since(begin).total_seconds():.1f} s"
        return Condition(name, ok=ok, seen=f"a commit is replayed after {seconds}" if ok else f"none within {seconds}")
