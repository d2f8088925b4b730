"""A failure that lasts longer than the plan gives it: whom the plan names then is told, while the drill goes on."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from harness.communications.incident import Incident
from harness.errors import quietly
from harness.stacks.capabilities import find
from harness.stacks.capabilities.messaging import Messaged, Reaching
from harness.system import clock

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

LOOKS = timedelta(seconds=1)


class Lasting:
    """Looks from `begin` to `end`, in a thread of its own, where the plan wants anybody told; else it does nothing."""

    def __init__(self, scenario: ScenarioRun) -> None:
        self._scenario = scenario
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._category = ""

    def begin(self, category: str) -> None:
        """`category`: of the plan, whose failure the scenario is."""
        told = self._scenario.plan.communication.lasting.get(category)
        if told is None or not any(find(self._scenario.stack, each) for each in (Messaged, Reaching)):
            return
        self._category = category
        self._thread = threading.Thread(target=self._look, name="a failure that lasts", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Nobody is told any more because of this. Harmless where it has not begun."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _look(self) -> None:
        told = self._scenario.plan.communication.lasting[self._category]
        limit = self._scenario.plan.category(self._category).limits[told.limit]
        while not self._ended.wait(LOOKS.total_seconds()):
            faults = self._scenario.faults
            if self._scenario.verified:
                return
            if faults.any and clock.since(faults.begun) > limit:
                if why := quietly(partial(self._tell, told.groups, limit)):
                    self._scenario.journal.record("failed", what="telling of a failure that lasts", error=why)
                return

    def _tell(self, groups: tuple[str, ...], limit: timedelta) -> None:
        scenario = self._scenario
        hurt = [each.get("component") or f"zone {each['zone']}" for each in scenario.faults.affected]
        names = ", ".join(dict.fromkeys(hurt)) or "a part of the platform"
        after = clock.since(scenario.faults.begun).total_seconds()
        scenario.journal.record("incident.lasting", category=self._category, after=after, groups=list(groups))
        if not scenario.communications.begun:
            scenario.communications.begin(ratio=1.0, after=timedelta(0))
        now = clock.now().utc - clock.since(scenario.faults.begun)
        incident = Incident(
            category=scenario.plan.category(self._category).title,
            what_happened=f"{names} does not answer, for longer than {limit.total_seconds():g} s",
            began=f"{now:%Y-%m-%d %H:%M} UTC",
            affected_services=names,
            estimated_resolution="not known yet",
        )
        scenario.communications.tell("initial", incident, groups=groups)
