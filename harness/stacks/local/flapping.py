"""A zone's link that comes and goes by itself: a part of the stack like any other, so that its removal finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.stacks.local.ground import LocalGround
from harness.stacks.local.process import LocalProcess
from harness.stacks.parts.ground import Runs
from harness.system import wait

BEGINS_WITHIN = timedelta(seconds=15)


class Flapping:
    """Of one zone. Any process can go on with what another has begun."""

    def __init__(self, ground: LocalGround, zone: str, *, words: Callable[[], Sequence[str]]) -> None:
        """`words`: the program, which is told the times and the file in which it counts. Errors of it: `Unable`."""
        self._ground = ground
        self._zone = zone
        self._words = words

    def begin(self, *, down: timedelta, up: timedelta, lasting: timedelta) -> None:
        """Returns when the link has gone down for the first time."""
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

    def end(self) -> bool:
        """Whether anything had begun; the link may then still be down, where it was killed."""
        begun = self._file.exists()
        self._unit([]).stop()
        self._file.unlink(missing_ok=True)
        return begun

    def downs(self) -> int:
        """How often it has gone down, 0 where it does not come and go any more."""
        with suppress(OSError, ValueError):
            return int(self._file.read_text()) if self._unit([]).running() else 0
        return 0

    @property
    def _file(self) -> Path:
        return self._ground.folder / f"flaps-{self._zone}"

    def _unit(self, words: Sequence[str]) -> LocalProcess:
        return self._ground.unit(f"flap-{self._zone}", runs=Runs.HARNESS, argv=lambda: words)
