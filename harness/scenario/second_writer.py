"""Whether a region that must not lead takes a write, looked at all the time from its loss to its return in service."""

from __future__ import annotations

from datetime import timedelta

from harness.errors import DrillError
from harness.run.run import Run
from harness.scenario.watch import Watch
from harness.stacks import Stack, regional
from harness.system import clock
from harness.system.recorder import Recorder

LOOKS = timedelta(milliseconds=300)  # between two looks
TOLD = 5  # looks a line of the journal
Look = tuple[int, int, bool | None]  # mono before it was asked, and after; None: nobody could say


class SecondWriter:
    """The watch of one scenario; none where nothing has begun it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._watch: WriterWatch | None = None

    def begin(self, region: str) -> None:
        """From now on it is looked at. Ends the watch before."""
        self.end()
        self._watch = WriterWatch(self._run.stack, self._run.journal, region)
        self._watch.begin()

    def end(self) -> None:
        """Harmless where there is none."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None


class WriterWatch:
    """A thread that records each look at a region's database servers, several in a line (`region.looks`)."""

    def __init__(self, stack: Stack, recorder: Recorder, name: str) -> None:
        self._place = regional.region(stack, name)
        self._recorder = recorder
        self._looks: list[Look] = []
        self._wrote: set[str] = set()
        self._watch = Watch(self._again, tell=self._tell, every=LOOKS, name="second writer")

    def begin(self) -> None:
        self._watch.begin()

    def end(self) -> None:
        """Stop looking. Waits for the look under way. Harmless when repeated."""
        self._watch.end()

    def _again(self) -> None:
        self._looks.append(self._look())
        if len(self._looks) >= TOLD:
            self._tell()

    def _look(self) -> Look:
        asked = clock.mono()
        try:
            said = regional.writable(self._place)
        except DrillError:
            said = {"": None}
        self._wrote |= {name for name, writes in said.items() if writes}
        writes = True if any(said.values()) else None if None in said.values() else False
        return asked, clock.mono(), writes

    def _tell(self) -> None:
        if self._looks:
            looks = [list(look) for look in self._looks]
            self._recorder.record("region.looks", region=self._place.name, looks=looks, servers=sorted(self._wrote))
            self._looks, self._wrote = [], set()
