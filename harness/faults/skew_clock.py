"""The clock of one component is wrong; nobody else's, and not the machine's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.faults import Undo, _probes
from harness.stacks import Skewable, Stack
from harness.system import wait

EXACT = timedelta(seconds=2)
STARTS = timedelta(seconds=30)


@dataclass(frozen=True)
class SkewClock:
    component: str
    by: timedelta
    name = "skew_clock"
    ttl = timedelta(minutes=15)
    harms_data = False
    logical = False

    def prepare(self, stack: Stack) -> Undo:
        if not isinstance(_probes.running(stack, self.component), Skewable):
            raise _probes.unable(stack, f"set the clock of {self.component} wrong")
        return {"component": self.component}

    def affects(self, undo: Undo) -> list[str]:
        """Nothing that an alert must name: it serves, at another time."""
        return []

    def inject(self, stack: Stack, undo: Undo) -> None:
        """Returns when it runs with that clock. Errors: `Unable` on a machine that cannot; then nothing is hurt."""
        found = _probes.component(stack, undo["component"])
        assert isinstance(found, Skewable)
        found.skew(self.by)
        what = f"{undo['component']} runs with the wrong clock"
        wait.until(
            lambda: bool(self.took_effect(stack, undo)), what=what, within=STARTS, recorder=stack.commands.recorder
        )

    def took_effect(self, stack: Stack, undo: Undo) -> str:
        found = _probes.component(stack, undo["component"])
        if not isinstance(found, Skewable) or not found.running():
            return ""
        skewed = found.skewed()
        if abs(skewed - self.by) > EXACT:
            return ""
        return f"the clock of {undo['component']} is wrong by {skewed.total_seconds():+.0f} s, read from it"

    def heal(self, stack: Stack, undo: Undo) -> None:
        found = _probes.component(stack, undo["component"])
        if isinstance(found, Skewable):
            found.unskew()
        if not found.running():  # whoever healed it was killed between stopping and starting it
            found.start()
