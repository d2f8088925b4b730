"""The file of an alert receiver: one JSON line for each alert, in the order in which they came.

A notification that left alerts out has a line of its own, before the alerts that it did carry. That lasts until an
alert of the same group comes in a later notification, which is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.alerts import WATCHDOG
from harness.stacks.capabilities.monitoring import Alert, Truncated
from harness.system import clock

FIELDS = ("starts", "name", "state", "component", "zone", "summary")
WHICH = ("name", "component", "zone", "region")


@dataclass(frozen=True)
class AlertFile:
    """Reads what a receiver has written, also while it writes. Where there is no file, nothing has come."""

    path: Path

    def alerts(self) -> list[Alert]:
        """All of them in order; without the watchdog, which says nothing about the platform."""
        return [alert for alert in self._all() if alert.name != WATCHDOG]

    def firing(self) -> list[Alert]:
        """What has been told and not been taken back."""
        return still_firing(self.alerts())

    def truncated(self) -> list[Truncated]:
        """Each notification that left alerts out, and each end of that, in order."""
        found: list[Truncated] = []
        open_: dict[str, int] = {}  # group: when the notification that left alerts out was received
        for said in self._lines():
            group, received, count = said.get("group"), said.get("received"), said.get("truncated")
            if not isinstance(group, str) or not isinstance(received, int):
                continue
            if isinstance(count, int):
                open_[group] = received
                found.append(Truncated(received, group, count))
            elif open_.get(group, received) != received:
                del open_[group]
                found.append(Truncated(received, group, 0))
        return found

    def left_out(self) -> int:
        """How many alerts the monitoring has now that it left out of what it told."""
        last = {one.group: one.count for one in self.truncated()}
        return sum(last.values())

    def silence(self) -> timedelta | None:
        """How long ago the watchdog came in last; None where it never has."""
        heard = [one.received for one in self._all() if one.name == WATCHDOG]
        return clock.since(heard[-1]) if heard else None

    def _all(self) -> Iterator[Alert]:
        for said in self._lines():
            try:
                told = {field: said[field] for field in FIELDS} | {"region": said.get("region", "")}
                which = said.get("fingerprint") or json.dumps([told[field] for field in WHICH])
                yield Alert(received=int(said["received"]), fingerprint=which, **told)
            except (ValueError, TypeError, KeyError):
                continue  # no alert

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in text.split(b"\n"):
            try:
                said = json.loads(line)
            except ValueError:
                continue  # a line that was torn by a kill: it was not confirmed to whoever sent it
            if isinstance(said, dict):
                yield said


def still_firing(alerts: list[Alert]) -> list[Alert]:
    """Of each alert the last word, where that is firing. Two of one name, component and zone are two all the same."""
    last = {one.fingerprint: one for one in alerts}
    return [one for one in last.values() if one.state == "firing"]
