"""The file of an alert receiver: one JSON line for each alert, in the order in which they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness import clock
from harness.alerts import WATCHDOG
from harness.stacks import Alert

FIELDS = ("starts", "name", "state", "component", "zone", "summary")


@dataclass(frozen=True)
class AlertFile:
    """Reads what a receiver has written, also while it writes. Where there is no file, nothing has come."""

    path: Path

    def alerts(self) -> list[Alert]:
        """All of them in order; without the watchdog, which says nothing about the platform."""
        return [alert for alert in self._all() if alert.name != WATCHDOG]

    def firing(self) -> list[Alert]:
        """What has been told and not been taken back; of each only the last word."""
        last = {(one.name, one.component, one.zone): one for one in self.alerts()}
        return [one for one in last.values() if one.state == "firing"]

    def silence(self) -> timedelta | None:
        """How long ago the watchdog came in last; None where it never has."""
        heard = [one.received for one in self._all() if one.name == WATCHDOG]
        return clock.since(heard[-1]) if heard else None

    def _all(self) -> Iterator[Alert]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in text.split(b"\n"):
            try:
                said = json.loads(line)
                yield Alert(received=int(said["received"]), **{field: said[field] for field in FIELDS})
            except (ValueError, TypeError, KeyError):
                continue  # a line that was torn by a kill: it was not confirmed to whoever sent it
