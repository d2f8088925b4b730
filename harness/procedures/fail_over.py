"""Another database server leads, as the platform's owner has it lead: ordered, and then seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from harness.errors import NotReady
from harness.procedures import Facts, Procedure, Step
from harness.stacks import Stack
from harness.stacks.capabilities import find, lacking, need
from harness.stacks.capabilities.database import Cluster, FailsOver, Switched
from harness.system import wait
from harness.system.recorder import Recorder

PHASE = "repair"
LEADS_WITHIN = timedelta(seconds=60)


class FailOver:
    """By the platform's own means; where it has none, the lead is handed to a server that runs and does not have it.

    Whatever is left of who led is nobody's business here: that it comes back as a copy is the platform's.
    """

    needs: ClassVar[tuple[Any, ...]] = (Cluster, FailsOver | Switched)

    def __init__(self, stack: Stack, recorder: Recorder, *, led: str, skip: frozenset[str] = frozenset()) -> None:
        """`led`: who led before."""
        self._stack = stack
        self._recorder = recorder
        self._led = led
        self._skip = skip
        self._leads = ""

    def procedure(self) -> Procedure:
        steps = (
            Step(PHASE, "see who is left", "asks which database servers run, and who leads", self._look),
            Step(PHASE, "fail over", "has another server lead, as the platform's owner does it", self._fail_over),
            Step(PHASE, "see it lead", "asks who leads, until it is that server", self._see),
        )
        kept = tuple(step for step in steps if step.name not in self._skip)
        return Procedure("failover of the database", kept, recorder=self._recorder)

    def _look(self) -> Facts:
        cluster = need(self._stack, Cluster)
        leader = cluster.leader()
        running = [member.name for member in cluster.members if member.running()]
        return {"led": self._led, "running": running, "leads": leader.name if leader else ""}

    def _fail_over(self) -> Facts:
        """Errors: `NotReady` where nobody is left; those of the stack."""
        own, switched = find(self._stack, FailsOver), find(self._stack, Switched)
        if own is not None:
            self._leads = own.fail_over()
        elif switched is not None:
            members = need(self._stack, Cluster).members
            left = next((each for each in members if each.running() and each.name != self._led), None)
            if left is None:
                raise NotReady("no other database server runs", hint="read the logs of the database servers")
            switched.switch(left)
            self._leads = left.name
        else:
            raise lacking(self._stack, FailsOver)
        return {"leads": self._leads}

    def _see(self) -> Facts:
        def leads() -> str:
            leader = need(self._stack, Cluster).leader()
            return leader.name if leader is not None and leader.name == self._leads else ""

        found = wait.until(
            leads, what=f"{self._leads or 'another server'} leads", within=LEADS_WITHIN, recorder=self._recorder
        )
        self._recorder.record("in_service", member=found, how="as the platform's owner has it lead")
        return {"leads": found}
