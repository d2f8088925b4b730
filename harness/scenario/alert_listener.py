"""What the platform's monitoring has told, taken into the journal: the ear at the alert receiver."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from harness.alerts.alert_file import still_firing
from harness.checks.alerts import names_any
from harness.errors import NotInTime
from harness.stacks.capabilities.clocks import MONITORING
from harness.stacks.capabilities.monitoring import Alert, Monitoring
from harness.system import clock, wait
from harness.system.recorder import Recorder

OFTEN = timedelta(milliseconds=200)
LOOKS = timedelta(milliseconds=500)
NAMED = "the monitoring names what has failed"  # what is waited for, in the journal


class AlertListener:
    """Everything that was told since it began, recorded once each as `alert`, by a thread that looks all the time.

    What the monitoring left out of what it told is recorded as `alerts.truncated`.
    """

    def __init__(self, monitoring: Monitoring, recorder: Recorder) -> None:
        self._monitoring = monitoring
        self._recorder = recorder
        self._known = len(monitoring.alerts())
        self._known_truncated = len(monitoring.truncated())
        self._heard: list[Alert] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="alert-listener", daemon=True)
        self._thread.start()

    def listen(self) -> list[Alert]:
        """All that was told so far, in order; what is new is recorded."""
        with self._lock:
            for alert in self._monitoring.alerts()[self._known :]:
                self._known += 1
                self._heard.append(alert)
                self._recorder.record("alert", **asdict(alert), clock=MONITORING, by=self._monitoring.by)
            for one in self._monitoring.truncated()[self._known_truncated :]:
                self._known_truncated += 1
                self._recorder.record("alerts.truncated", **asdict(one), by=self._monitoring.by)
            return list(self._heard)

    def end(self) -> None:
        """Stop looking, and listen once more. Errors: what the receiver's file raises when it cannot be read."""
        self._done.set()
        self._thread.join(timeout=10)
        self.listen()

    def _loop(self) -> None:
        while not self._done.wait(LOOKS.total_seconds()):
            self.listen()

    def wait_named(self, affected: Sequence[Mapping[str, Any]], *, since: int, within: timedelta) -> bool:
        """Wait until an alert that came in after `since` names something that was affected; whether one did.

        `since`: a reading of the monotonic clock, from which `within` counts. Records `alert.awaited`.
        """
        left = within - clock.since(since)
        begin = clock.mono()
        try:
            wait.until(
                lambda: any(alert.received >= since and names_any(asdict(alert), affected) for alert in self._firing()),
                what=NAMED,
                within=max(left, timedelta(0)),
                every=OFTEN,
                recorder=self._recorder,
                last_seen=lambda: ", ".join(sorted({words(alert) for alert in self._firing()})) or "no alert",
            )
            named = True
        except NotInTime:
            named = False
        seconds = clock.since(begin).total_seconds()
        self._recorder.record("alert.awaited", within=within.total_seconds(), seconds=seconds, named=named)
        return named

    def unresolved(self) -> list[str]:
        """The components that alerts name, and that are not said to be well again, each once.

        One of several alerts about a component that is taken back says nothing about the others.
        """
        named = [alert.component for alert in still_firing(self.listen()) if alert.component]
        return list(dict.fromkeys(named))

    def _firing(self) -> list[Alert]:
        return [alert for alert in self.listen() if alert.state == "firing"]


def words(alert: Alert) -> str:
    return f"{alert.name} {alert.component or alert.zone}".strip()
