"""A zone's link that comes and goes by itself: a part of the stack like any other, so that its removal finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.stacks.local.ground import LocalGround
from harness.stacks.local.process import LocalProcess
from harness.stacks.parts.ground import Runs
from harness.system import clock, wait
from harness.system.clock import Moment

BEGINS_WITHIN = timedelta(seconds=15)


class Flapping:
    """Of one zone. Any process can go on with what another has begun."""

    def __init__(self, ground: LocalGround, zone: str, *, words: Callable[[], Sequence[str]]) -> None:
        """`words`: the program, which is told the times and the file in which it counts. Errors of it: `Unable`."""
        self._ground = ground
        self._zone = zone
        self._words = words

    def begin(self, *, down: timedelta, up: timedelta, lasting: timedelta) -> Moment | None:
        """Returns when the link has gone down for the first time, and when that was."""
        words = [*self._words(), *(str(length.total_seconds()) for length in (down, up, lasting)), str(self._file)]
        unit = self._unit(words)
        unit.kill()
        self._file.unlink(missing_ok=True)
        unit.start()

        def is_down() -> bool:
            unit.must_run()
            return self.downs() > 0

        what, recorder = f"the link of zone {self._zone} comes and goes", self._ground.commands.recorder
        wait.until(is_down, what=what, within=BEGINS_WITHIN, recorder=recorder)
        _, *first = self._said()
        return Moment(first[0], first[1], "the kernel, which was told that the link is down") if first else None

    def end(self) -> Moment | None:
        """When it could cut the link no more, or None where nothing had begun; the link may then still be down."""
        if not self._file.exists():
            return None
        begun = clock.mono()
        ended = self._unit([]).kill() or Moment(begun, clock.mono(), "nothing flapped any more")
        self._file.unlink(missing_ok=True)
        return ended

    def downs(self) -> int:
        """How often it has gone down, 0 where it does not come and go any more."""
        return self._said()[0] if self._unit([]).running() else 0

    def _said(self) -> list[int]:
        """How often it has gone down, and between which readings of the monotonic clock it first did."""
        with suppress(OSError, ValueError):
            return list(map(int, self._file.read_text().split()))
        return [0]

    @property
    def _file(self) -> Path:
        return self._ground.folder / f"flaps-{self._zone}"

    def _unit(self, words: Sequence[str]) -> LocalProcess:
        return self._ground.unit(f"flap-{self._zone}", runs=Runs.HARNESS, argv=lambda: words)
