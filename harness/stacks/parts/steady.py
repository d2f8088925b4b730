"""Whether a stack is steady: it serves, replicates, archives and is watched, each shown by a real request or query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from harness.errors import NotReady
from harness.stacks import Condition, Entrance
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Archive
from harness.stacks.capabilities.database import Cluster, Queried
from harness.stacks.capabilities.monitoring import Monitoring
from harness.stacks.parts import wal
from harness.stacks.parts.positions import PostgresPositions
from harness.stacks.parts.visitor import Visitor
from harness.system import clock, wait
from harness.system.recorder import Recorder

SERVES_WITHIN = timedelta(seconds=60)
HEALTHY_WITHIN = timedelta(seconds=60)
WATCHED_WITHIN = timedelta(seconds=30)
ARCHIVE_SLACK = timedelta(seconds=10)  # several archive commands on a busy machine
OFTEN = timedelta(milliseconds=250)


@dataclass(frozen=True)
class Steady:
    """Asks a stack. `archive_timeout` is how long a write may wait before PostgreSQL hands it over.

    `zone_entrances` lead to the APIs of the zones, each asked alone: behind the entrance others would answer.
    """

    entrance: Entrance
    zone_entrances: Mapping[str, Entrance]
    cluster: Cluster
    archive: Archive
    monitoring: Monitoring
    archive_timeout: timedelta
    recorder: Recorder

    def conditions(self, *, beside: Sequence[Condition] = ()) -> list[Condition]:
        """`beside`: what else has to hold. A segment is archived for the last of them, and only where all others do."""
        zones = [Visitor(entrance).ready(f"zone {zone} ready") for zone, entrance in self.zone_entrances.items()]
        conditions = [*Visitor(self.entrance).conditions(), *zones, *self.cluster.healthy()]
        conditions += [self.monitoring.condition(), *beside]
        return [*conditions, self._archives(asked=all(one.ok for one in conditions))]

    def wait_serving(self) -> None:
        """Until the platform serves at the entrance. Errors: `NotInTime`."""
        self._wait(Visitor(self.entrance).conditions, "the platform serves", SERVES_WITHIN)

    def wait_replicating(self) -> None:
        """Until every member streams from the leader. Errors: `NotInTime`."""
        self._wait(self.cluster.healthy, "all members replicate", HEALTHY_WITHIN)

    def wait_watched(self) -> None:
        """Until everything is watched, and alerts arrive. Errors: `NotInTime`."""
        self._wait(lambda: [self.monitoring.condition()], "the stack is watched", WATCHED_WITHIN)

    def wait_for(self, ask: Callable[[], Sequence[Condition]], what: str) -> None:
        """Until all of these hold. Errors: `NotInTime`."""
        self._wait(ask, what, HEALTHY_WITHIN)

    def _wait(self, ask: Callable[[], Sequence[Condition]], what: str, within: timedelta) -> None:
        wait.until(
            lambda: all(condition.ok for condition in ask()), what=what, within=within, recorder=self.recorder,
            last_seen=lambda: "; ".join(f"{one.name}: {one.seen}" for one in ask() if not one.ok),
        )  # fmt: skip  # arguments in groups

    def _archives(self, *, asked: bool) -> Condition:
        """Whether what is written now reaches the archive within the promised time, once it is handed over.

        It is handed over at once: that it would be after `archive_timeout` is shown by the samples of a run's exposure.
        """
        name = "archives"
        if not asked:
            return Condition(name, ok=False, seen="not asked while something else does not hold")
        limit = self.archive_timeout + ARCHIVE_SLACK
        try:
            with need(self.cluster, Queried).connect() as connection:
                connection.execute("SELECT pg_logical_emit_message(true, 'drdrill', 'steady')")
            written = PostgresPositions(need(self.cluster, Queried)).hand_over()
        except NotReady as error:
            return Condition(name, ok=False, seen=error.message)
        except psycopg.Error as error:
            return Condition(name, ok=False, seen=str(error).strip())
        begin = clock.mono()

        def there(archived: int) -> bool:
            return archived >= written

        archived = wait.poll(self.archive.archived, within=limit, every=OFTEN, enough=there)
        if not there(archived):
            seen = f"after {limit.total_seconds():g} s: written {wal.lsn(written)}, archived {wal.lsn(archived)}"
            return Condition(name, ok=False, seen=seen)
        return Condition(name, ok=True, seen=f"{wal.lsn(archived)} after {clock.since(begin).total_seconds():.1f} s")
