"""What has failed is started again, and reaches customers again: by what the alerts name and what does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotInTime
from harness.procedures import Facts, Procedure, Step
from harness.stacks import Stack
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Killable, Startable
from harness.system import wait
from harness.system.recorder import Recorder

PHASE = "repair"
BACK_WITHIN = timedelta(seconds=60)

Asks = Callable[[str], str]  # the name of a component: what shows that it does its work, empty where it does not


class Restart:
    """`named` are the components that alerts name; `works` asks one of them, as its users would."""

    needs: ClassVar[tuple[Any, ...]] = (Killable, Startable)

    def __init__(
        self, stack: Stack, recorder: Recorder, *, named: Callable[[], Sequence[str]], works: Asks,
        skip: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip  # parameters in groups
        self._stack = stack
        self._recorder = recorder
        self._named = named
        self._works = works
        self._skip = skip
        self._failed: list[str] = []

    def procedure(self) -> Procedure:
        steps = (
            Step(PHASE, "find what has failed", "what an alert names or does not run, and does not do its work",
                 self._find),
            Step(PHASE, "start it again", "ends what is left of it, and starts it", self._start),
            Step(PHASE, "see it work", "asks each part as its users do, until it does its work", self._see),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self._skip)
        return Procedure("restart of what has failed", kept, recorder=self._recorder)

    def _find(self) -> Facts:
        components = self._stack.components()
        asked = [*dict.fromkeys([*self._named(), *(name for name, one in components.items() if not one.running())])]
        self._failed = [name for name in asked if name in components and not self._works(name)]
        return {"named by alerts": list(self._named()), "failed": self._failed}

    def _start(self) -> Facts:
        components = self._stack.components()
        for name in self._failed:
            need(components[name], Killable).kill()
            need(components[name], Startable).start()
        return {"started": self._failed}

    def _see(self) -> Facts:
        seen = {name: self._wait(name) for name in self._failed}
        for name, said in seen.items():
            self._recorder.record("rotation", component=name, ok=bool(said), seen=said or "does not do its work")
        return {"works again": [name for name, said in seen.items() if said]}

    def _wait(self, name: str) -> str:
        what = f"{name} does its work again"
        try:
            return wait.until(lambda: self._works(name), what=what, within=BACK_WITHIN, recorder=self._recorder)
        except NotInTime:
            return ""
