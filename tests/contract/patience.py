"""How the scenes of the contract wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from harness.system import wait
from harness.system.recorder import Memory

LONG = timedelta(seconds=90)


def until(condition: Callable[[], bool], what: str) -> None:
    """Until it holds; for a customer who is not answered it does not hold yet. Errors: `NotInTime`."""

    def holds() -> bool:
        try:
            return condition()
        except OSError:
            return False

    wait.until(holds, what=what, within=LONG, recorder=Memory())
