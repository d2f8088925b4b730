"""A release that does not work is replaced by the one before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.procedures import Facts, Procedure, Step
from harness.stacks import Stack, zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.releases import Releases
from harness.system import wait
from harness.system.recorder import Recorder

PHASE = "repair"
SERVES_WITHIN = timedelta(seconds=60)


class RollBack:
    """`serves` tells whether a zone's API says that it is well."""

    needs: ClassVar[tuple[Any, ...]] = (Releases,)

    def __init__(
        self, stack: Stack, recorder: Recorder, *, serves: Callable[[str], bool], skip: frozenset[str] = frozenset()
    ) -> None:
        self._stack = stack
        self._recorder = recorder
        self._serves = serves
        self._skip = skip
        self._before = ""

    def procedure(self) -> Procedure:
        steps = (
            Step(PHASE, "find the release before", "reads what was deployed, and what was deployed before that",
                 self._find),
            Step(PHASE, "deploy the release before", "starts the API of every zone with it", self._deploy),
            Step(PHASE, "see every zone serve", "asks each zone's own API for its health", self._see),
        )  # fmt: skip  # a table
        kept = tuple(step for step in steps if step.name not in self._skip)
        return Procedure("roll-back of a release", kept, recorder=self._recorder)

    def _find(self) -> Facts:
        history = need(self._stack, Releases).history()
        earlier = [name for name in history if name != history[-1]]
        if not earlier:
            raise NotReady("no release was deployed before this one", hint="read the history of releases")
        self._before = earlier[-1]
        return {"deployed": history[-1], "before": self._before}

    def _deploy(self) -> Facts:
        need(self._stack, Releases).deploy(self._before)
        return {"deployed": need(self._stack, Releases).current()}

    def _see(self) -> Facts:
        served = zones(self._stack)
        wait.until(
            lambda: all(self._serves(zone) for zone in served),
            what="every zone's API serves",
            within=SERVES_WITHIN,
            recorder=self._recorder,
        )
        return {"zones": served}
