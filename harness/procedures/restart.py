"""What has failed is started again, and reaches customers again: by what the alerts name and what does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import DrillError, NotInTime, NotReady
from harness.procedures import Facts, Procedure, Step
from harness.stacks import Stack
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.components import Killable, Startable
from harness.stacks.capabilities.database import Cluster, Fenced
from harness.system import wait
from harness.system.recorder import Recorder

PHASE = "repair"
BACK_WITHIN = timedelta(seconds=120)
NOT = "does not do its work"

Asks = Callable[[str], str]  # as `harness.procedures.health.Health.works`, by the name of a component


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
        self._failed = [name for name in asked if name in components and not self._asked(name)[0]]
        return {"named by alerts": list(self._named()), "failed": self._failed}

    def _start(self) -> Facts:
        components = self._stack.components()
        for name in self._failed:
            self._must_not_lead_too(name)
            need(components[name], Killable).kill()
            need(components[name], Startable).start()
        return {"started": self._failed}

    def _must_not_lead_too(self, name: str) -> None:
        """Errors: `NotReady` where another database server leads, and this one may come back as more than a copy."""
        cluster, fenced = find(self._stack, Cluster), find(self._stack, Fenced)
        if cluster is None or fenced is None or name not in {member.name for member in cluster.members}:
            return
        leads = cluster.leader()
        if leads is not None and leads.name != name and (why := fenced.comes_back_as_copy(name)):
            words = f"{name} is not started: {leads.name} leads, and it may come back as more than a copy: {why}"
            raise NotReady(words, hint=f"make {name} a copy of {leads.name} first, as its owner does")

    def _see(self) -> Facts:
        seen = {name: self._wait(name) for name in self._failed}
        for name, (ok, said) in seen.items():
            self._recorder.record("rotation", component=name, ok=ok, seen=said)
        return {"works again": [name for name, (ok, _) in seen.items() if ok]}

    def _wait(self, name: str) -> tuple[bool, str]:
        """Whether it works in time, and what was seen last."""
        last = (False, NOT)

        def works() -> bool:
            nonlocal last
            last = self._asked(name)
            return last[0]

        with suppress(NotInTime):
            wait.until(
                works, what=f"{name} does its work again", within=BACK_WITHIN, recorder=self._recorder,
                last_seen=lambda: last[1],
            )  # fmt: skip  # arguments in groups
        return last

    def _asked(self, name: str) -> tuple[bool, str]:
        """Once."""
        try:
            said = self._works(name)
        except DrillError as error:
            return False, error.message
        return bool(said), said or NOT
