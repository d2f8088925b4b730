"""Who led before anything was hurt, and whether somebody else does, or the old leader follows again."""

from __future__ import annotations

from datetime import timedelta

from harness.run.run import Run
from harness.scenario import observations
from harness.scenario.waits import in_time
from harness.stacks import zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster, Member
from harness.system import wait

LEADS_LIMIT = timedelta(seconds=90)
REJOINS_LIMIT = timedelta(seconds=120)


class Leadership:
    """The cluster's leader, from the steady state to the end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.known: Member | None = None  # who led before; None where nobody has looked, or nobody led

    @property
    def before(self) -> Member:
        """Who led before anything was hurt."""
        need(self._run.stack, Cluster)
        assert self.known is not None, "nobody led"
        return self.known

    @property
    def zone(self) -> str:
        """The zone of who led before anything was hurt."""
        return self.before.zone

    @property
    def copy_zones(self) -> list[str]:
        """The other zones, in order."""
        return [zone for zone in zones(self._run.stack) if zone != self.zone]

    def look(self) -> None:
        """Record who leads before anything is hurt."""
        self.known = observations.leadership(self._run.stack, self._run.journal, "before")

    def look_again(self) -> None:
        """Record who leads in the end."""
        observations.leadership(self._run.stack, self._run.journal, "after")

    def await_another(self) -> None:
        """Wait until another member leads than before. Errors: `NotInTime`."""

        def another() -> bool:
            leader = need(self._run.stack, Cluster).leader()
            return leader is not None and (self.known is None or leader.name != self.known.name)

        wait.until(another, what="another server leads", within=LEADS_LIMIT, recorder=self._run.journal)

    def await_rejoined(self, *, within: timedelta = REJOINS_LIMIT) -> None:
        """Wait until who led before streams again as a copy; how long that took is a finding."""
        name = self.before.name

        def rejoined() -> str:
            found = {one.name: one for one in need(self._run.stack, Cluster).healthy()}
            copy = found.get(f"{name} replicates")
            return copy.seen if copy is not None and copy.ok else ""

        what = f"{name} is a copy again"
        seen = in_time(rejoined, what=what, within=within, recorder=self._run.journal)
        self._run.journal.record("rejoined", member=name, ok=bool(seen), seen=seen or "does not replicate")
