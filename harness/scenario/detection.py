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

Look = Callable[[], str]  # in words what is wrong; empty where nothing is seen
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
            if self.alerts.wait_named(self._faults.affected, since=self._faults.effective, within=within):
                self._run.journal.record("detected", by="monitoring", seen="an alert names what was hurt", gap=0.0)

    def await_check(self, look: Look, *, by: str) -> None:
        """Wait until a check has said that something is wrong. Errors: `NotInTime`."""
        self.await_checks({by: look})

    def await_checks(self, looks: Mapping[str, Look]) -> None:
        """Wait until each of several looks, by the name of who looks, has said that something is wrong. Errors:
        `NotInTime`."""
        left = dict(looks)

        def all_have() -> bool:
            self._ask(left)
            return not left

        with span(self._run.journal, "detect"):
            wait.until(
                all_have,
                what=f"{', '.join(looks)}: noticed",
                within=LIMIT,
                recorder=self._run.journal,
                every=LOOKS,
                last_seen=lambda: f"still without a word: {', '.join(left)}",
                hint="the disaster went unnoticed; that is a finding",
            )

    def await_any(self, looks: Mapping[str, Look], *, within: timedelta = LIMIT, longer: timedelta = LONGER) -> None:
        """Wait until one of several looks has said that something is wrong, or the time is up: that is a finding. The
        others are asked for a while `longer`; who has seen nothing then is recorded, too."""
        left = dict(looks)
        first: int | None = None

        def enough() -> bool:
            nonlocal first
            if self._ask(left) and first is None:
                first = clock.mono()
            return not left or (first is not None and clock.since(first) >= longer)

        with span(self._run.journal, "detect"):
            wait.poll(enough, within=within, every=LOOKS)
        for by in left:
            self._run.journal.record("not_detected", by=by)

    def _ask(self, left: dict[str, Look]) -> bool:
        """Ask each by itself. Who has seen something is recorded, and not asked again; whether one has."""
        before = len(left)
        for by, look in list(left.items()):
            if seen := look():
                del left[by]
                self._run.journal.record("detected", by=by, seen=seen, gap=LOOKS.total_seconds())
        return len(left) < before
