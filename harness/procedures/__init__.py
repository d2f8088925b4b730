"""How the plan says to recover: a list of steps, made first as data, printed and recorded, and then run.

A procedure knows what a real team would know: addresses, logs, backups. Never the fault, and never the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from harness.errors import DrillError
from harness.system import clock
from harness.system.bugs import is_bug
from harness.system.recorder import Recorder

if TYPE_CHECKING:
    from harness.stacks import Stack

Facts = dict[str, Any]  # JSON: what a step found or did
NO_STACK = cast("Stack", None)  # for a procedure that is only shown: a step looks at the stack when it runs


@dataclass(frozen=True)
class Step:
    """One step: `does` says in a sentence what it does; `run` does it and returns what it found."""

    phase: str
    name: str
    does: str
    run: Callable[[], Facts]


@dataclass(frozen=True)
class Change:
    """One thing that is done otherwise than the plan's own script does it."""

    plan: str  # what the script does
    here: str  # what is done instead
    why: str


class Procedure:
    """Steps in phases. The whole list is recorded before the first of them runs."""

    def __init__(self, name: str, steps: Sequence[Step], *, recorder: Recorder, changes: Sequence[Change] = ()) -> None:
        self.name = name
        self.steps = tuple(steps)
        self.changes = tuple(changes)
        self.recorder = recorder
        self._announced = False

    def announce(self) -> None:
        """Record the list, once."""
        if not self._announced:
            listed = [{"phase": step.phase, "name": step.name, "does": step.does} for step in self.steps]
            changed = [asdict(change) for change in self.changes]
            self.recorder.record("procedure", name=self.name, steps=listed, changes=changed)
            self._announced = True

    def run(self, phase: str) -> None:
        """Run the steps of one phase, in order.

        Errors: whatever a step raises; the step is recorded as failed first. A step that is cut short because the run
        is stopped, or by a bug of the harness, has not failed: it has no end.
        """
        self.announce()
        for step in self.steps:
            if step.phase == phase:
                self._run(step)

    def _run(self, step: Step) -> None:
        self.recorder.record("step.begin", phase=step.phase, name=step.name, does=step.does)
        begin = clock.mono()
        try:
            facts = step.run()
        except Exception as error:
            if is_bug(error):
                raise
            said = error.message if isinstance(error, DrillError) else f"{type(error).__name__}: {error}"
            self._end(step, begin, ok=False, facts={"error": said})
            raise
        self._end(step, begin, ok=True, facts=facts)

    def _end(self, step: Step, begin: int, *, ok: bool, facts: Facts) -> None:
        seconds = clock.since(begin).total_seconds()
        self.recorder.record("step.end", phase=step.phase, name=step.name, ok=ok, seconds=seconds, facts=facts)
