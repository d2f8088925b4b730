"""How a disaster is noticed: by the platform's own monitoring, or by a check that a real team has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from harness.run.run import Run
from harness.scenario.active_faults import ActiveFaults
from harness.scenario.alert_listener import AlertListener
from harness.scenario.waits import span
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.monitoring import Monitoring
from harness.system import clock, wait

LIMIT = timedelta(minutes=5)
LOOKS = timedelta(milliseconds=500)  # between two looks of a check
LONGER = timedelta(seconds=3)  # for which the others look when the first has seen something: a count comes late


class Detection:
    """Who notices what, from the steady state on."""

    def __init__(self, run: Run, faults: ActiveFaults) -> None:
        self._run = run
        self._faults = faults
        self._listener: AlertListener | None = None

    def begin(self) -> None:
        """Listen from now on to what the monitoring tells, where there is one."""
        if monitoring := find(self._run.stack, Monitoring):
            self._listener = AlertListener(monitoring, self._run.journal)

    def end(self) -> None:
        """Errors: what the receiver's file raises when it cannot be read."""
        if self._listener is not None:
            self._listener.end()

    @property
    def alerts(self) -> AlertListener:
        """What the monitoring has told. Errors: `Unable` where there is none."""
        need(self._run.stack, Monitoring)
        assert self._listener is not None, "the feature must begin with a steady stack"
        return self._listener

    def named(self) -> list[str]:
        """The components that alerts name and that are not said to be well again; none where nothing watches."""
        return self._listener.unresolved() if self._listener is not None else []

    def await_alert(self, *, within: timedelta = LIMIT) -> None:
        """Wait until the platform's monitoring has named what was hurt, or its time is up: that is a finding."""
        with span(self._run.journal, "detect"):
            if self.alerts.wait_named(self._faults.affected, since=self._faults.begun, within=within):
                self._run.journal.record("detected", by="monitoring", seen="an alert names what was hurt", gap=0.0)

    def await_checks(self, looks: Mapping[str, Callable[[], str]]) -> None:
        """Wait until each of several looks, by its name, has said in words that something is wrong. Each is asked by
        itself, and recorded when it has. Errors: `NotInTime`."""
        left = dict(looks)

        def all_have() -> bool:
            for by, look in list(left.items()):
                if seen := look():
                    del left[by]
                    self._run.journal.record("detected", by=by, seen=seen, gap=LOOKS.total_seconds())
            return not left

        with span(self._run.journal, "detect"):
            wait.until(
                all_have,
                what=f"{', '.join(looks)} notice",
                within=LIMIT,
                recorder=self._run.journal,
                every=LOOKS,
                last_seen=lambda: f"still without a word: {', '.join(left)}",
                hint="the disaster went unnoticed; that is a finding",
            )

    def await_any(self, looks: Mapping[str, Callable[[], str]], *, within: timedelta) -> None:
        """Wait until one of several looks has said in words that something is wrong, or the time is up: that is a
        finding. The others are then asked for a while longer, each by itself: what none of them sees is recorded, too.
        """
        journal, left = self._run.journal, dict(looks)
        first: int | None = None

        def all_have() -> bool:
            nonlocal first
            for by, look in list(left.items()):
                if seen := look():
                    del left[by]
                    first = first or clock.mono()
                    journal.record("detected", by=by, seen=seen, gap=LOOKS.total_seconds())
            return not left or (first is not None and clock.since(first) >= LONGER)

        with span(journal, "detect"):
            wait.poll(all_have, within=within, every=LOOKS)
        for by in left:
            journal.record("not_detected", by=by)

    def await_check(self, look: Callable[[], str], *, by: str) -> None:
        """Wait until a check says, in words, that something is wrong. Errors: `NotInTime`."""
        with span(self._run.journal, "detect"):
            seen = wait.until(
                look,
                what=f"{by} notices",
                within=LIMIT,
                recorder=self._run.journal,
                every=LOOKS,
                hint="the disaster went unnoticed; that is a finding",
            )
            self._run.journal.record("detected", by=by, seen=seen, gap=LOOKS.total_seconds())
