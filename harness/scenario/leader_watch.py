"""Every database server of the cluster is asked, each second, whether it says that it leads: two at once are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from harness.errors import quietly
from harness.run.run import Run
from harness.scenario.watch import Watch
from harness.stacks import Stack
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.database import Claimed, Cluster, Fenced
from harness.system import clock

LOOKS = timedelta(seconds=1)  # between two looks
TOLD = 5  # looks a line of the journal
Look = tuple[int, int, list[str], list[str]]  # mono before it was asked and after; who leads; who gave no answer


class LeaderWatch:
    """The watch of one scenario; none where no sentence has begun it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._watch: Watch | None = None
        self._looks: list[Look] = []

    def begin(self) -> None:
        """From now on each server is asked. Harmless when repeated."""
        if self._watch is None:
            self._looks.append(look(self._run.stack))  # at once: what is hurt next is hurt after it
            self._watch = Watch(self._again, tell=self._tell, every=LOOKS, name="leaders")
            self._watch.begin()

    def end(self) -> None:
        """Harmless where there is none."""
        if self._watch is not None:
            self._watch.end()

    def _again(self) -> None:
        self._looks.append(look(self._run.stack))
        if len(self._looks) >= TOLD:
            self._tell()

    def _tell(self) -> None:
        if self._looks:
            self._run.journal.record("leaders.looks", looks=[list(each) for each in self._looks])
            self._looks = []


def look(stack: Stack) -> Look:
    """One look at all servers. Where several say that they lead, they are asked once more: only who leads before the
    others were asked and after it leads beside them, and was not just relieved. Raises nothing."""
    asked = clock.mono()
    said = _claims(stack)
    leading = [name for name, leads in said.items() if leads]
    if len(leading) > 1:
        again = _claims(stack)
        leading = [name for name in leading if again.get(name)]
    silent = [name for name, leads in said.items() if leads is None]
    return asked, clock.mono(), leading, silent


def _claims(stack: Stack) -> Mapping[str, bool | None]:
    """By each server's own word; else by what it takes, asked beside it."""
    claimed, fenced, said = find(stack, Claimed), find(stack, Fenced), dict[str, bool | None]()
    members = [member.name for member in need(stack, Cluster).members]
    quietly(lambda: said.update(claimed.claims() if claimed else _writable(fenced, members)))
    return {name: said.get(name) for name in members}


def _writable(fenced: Fenced | None, members: Sequence[str]) -> Mapping[str, bool | None]:
    return {name: fenced.writable(name) for name in members} if fenced else {}
