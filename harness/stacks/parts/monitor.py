"""What both kinds of stack have of monitoring: the receiver of its alerts, and what is read from there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from harness.alerts.alert_file import AlertFile
from harness.stacks import Condition
from harness.stacks.capabilities.monitoring import Alert, Truncated
from harness.stacks.parts.ground import Ground, Runs, Unit
from harness.stacks.parts.settings import Settings

RECEIVER = 9095  # port
HEARD_WITHIN = timedelta(seconds=15)  # the watchdog comes every 5 s


def alert_file(folder: Path) -> Path:
    return folder / "alerts" / "alerts.jsonl"


def alert_receiver(ground: Ground, *, address: str, place: str = "") -> Unit:
    """Not started."""
    module = [sys.executable, "-P", "-m", "harness.alerts.receiver"]
    words = [*module, f"--listen={address}:{RECEIVER}", f"--file={alert_file(ground.folder)}"]
    return ground.unit("alert-receiver", runs=Runs.HARNESS, place=place, argv=lambda: words)


def named(component: str, zone: str, *, chosen: Settings) -> tuple[str, str]:
    """The component and the zone that an alert about these names: the same, unless that was sabotaged.

    The wrong zone is none of the stack's: one that is well today may be told of tomorrow, and would then be right.
    """
    if chosen.alerts == "right" or not zone:
        return component, zone
    return f"{component}-old", f"{zone}-old"


class Monitor:
    """Fills the protocol Monitoring. `sees` says whether what watches is watching everything."""

    def __init__(self, *, by: str, folder: Path, receiver: Unit, sees: Callable[[], Condition]) -> None:
        self.by = by
        self._file = AlertFile(alert_file(folder))
        self._receiver = receiver
        self._sees = sees

    def alerts(self) -> list[Alert]:
        return self._file.alerts()

    def truncated(self) -> list[Truncated]:
        return self._file.truncated()

    def condition(self) -> Condition:
        """Everything is watched, an alert would arrive, and none is firing: one that still fires is not told again."""
        sees = self._sees()
        if not sees.ok:
            return sees
        silence = self._file.silence()
        if silence is None or silence > HEARD_WITHIN:
            heard = f"was heard {silence.total_seconds():.0f} s ago" if silence else "was never heard"
            return Condition(sees.name, ok=False, seen=f"no alert would arrive: the watchdog {heard}")
        if firing := self._file.firing():
            told = ", ".join(f"{one.name} {one.component or one.zone}".strip() for one in firing)
            return Condition(sees.name, ok=False, seen=f"alerts are firing: {told}")
        if left_out := self._file.left_out():
            said = "the notification was truncated (max_alerts)"
            return Condition(sees.name, ok=False, seen=f"{left_out} more alerts are not told: {said}")
        return Condition(sees.name, ok=True, seen=f"{sees.seen}; alerts arrive")

    def lose_receiver(self) -> None:
        """For sabotage only: from now on no alert arrives, and nobody is told so."""
        self._receiver.kill()
