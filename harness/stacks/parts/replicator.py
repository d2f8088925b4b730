"""The backups of one region, copied to the store of another: the process that does it, and how far it is."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from harness.errors import DrillError, NotReady
from harness.stacks import Condition
from harness.stacks.capabilities.backups import Replication
from harness.stacks.parts.bucket import Bucket, Kept
from harness.stacks.parts.ground import Ground, Runs
from harness.stacks.parts.replication.copying import State
from harness.system import clock

EVERY = timedelta(seconds=5)  # of rest between passes: the emulator needs a third of a second for an empty one
BEHIND = timedelta(seconds=20)  # a rest, and a base backup that goes over the link meanwhile


def simulated() -> str:
    """What it is, in words for whoever reads a report."""
    return "replication of the backups to the other region is a process of this project: simulated replication"


class Replicator:
    """Fills the protocol Replicated."""

    def __init__(
        self, ground: Ground, *, source: Bucket, target: Bucket, ca: Path, name: str = "replicator", place: str = "",
        every: timedelta = EVERY,
    ) -> None:  # fmt: skip  # parameters in groups
        """`place`: of the target's region, as it lives on when the source's is lost."""
        self._source = source
        self._target = target
        self.folder = ground.folder / name
        words = [
            *(sys.executable, "-P", "-m", "harness.stacks.parts.replication", f"--ca={ca}", f"--folder={self.folder}"),
            *("--from", source.url, source.name, "--to", target.url, target.name, f"--every={every.total_seconds()}"),
        ]
        self.unit = ground.unit(name, runs=Runs.HARNESS, place=place, argv=lambda: words)

    def start(self) -> None:
        self.unit.start()

    def state(self) -> State:
        """How far the process says that it is."""
        return State.read(self.folder)

    def replicated(self) -> Replication:
        """Told by both stores; where the source is gone, by the process. Errors: `NotReady`, `DrillError`."""
        now = clock.now().utc
        try:
            there = self._source.history()
        except DrillError:
            return self._known()
        missing = lacking(there, self._target.history())
        return Replication(len(missing), now - missing[0].at if missing else timedelta(0), seen=now)

    def condition(self, *, behind: timedelta = BEHIND) -> Condition:
        """Whether the other store has all but what came in lately."""
        name = "the second store has the backups"
        try:
            found = self.replicated()
        except DrillError as error:
            return Condition(name, ok=False, seen=error.message)
        if not found.missing:
            return Condition(name, ok=True, seen="it has all of them")
        age = f"the oldest {found.oldest.total_seconds():.1f} s old, of {behind.total_seconds():g} s that they may be"
        if found.oldest <= behind:
            return Condition(name, ok=True, seen=f"all but {found.missing} on their way, {age}")
        return Condition(name, ok=False, seen=f"{found.missing} are missing, {age}")

    def _known(self) -> Replication:
        """What the process knew when it listed the source last."""
        state = self.state()
        if not state.seen:
            raise NotReady(
                "nothing was ever replicated, and the source is gone", hint=f"read the log of {self.unit.name}"
            )
        return Replication(state.missing, state.lag(), seen=datetime.fromisoformat(state.seen))


def lacking(source: Iterable[Kept], target: Iterable[Kept]) -> list[Kept]:
    """Versions with content that have no copy there, the oldest first. Told apart by key and size: what a store says
    of the content differs where it came in pieces, and that the content is right is for the digests of the backups."""
    copies = Counter((one.key, one.size) for one in target if not one.deletion)
    found = []
    for one in source:
        if not one.deletion:
            copies[one.key, one.size] -= 1
            if copies[one.key, one.size] < 0:
                found.append(one)
    return found
