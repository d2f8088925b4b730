"""The one door to polling: a wait has a name, a limit, and says what it saw last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from harness.errors import NotInTime
from harness.system import clock
from harness.system.recorder import Recorder

T = TypeVar("T")
OFTEN = timedelta(milliseconds=100)


def until(
    condition: Callable[[], T | None],
    *,
    what: str,
    within: timedelta,
    recorder: Recorder,
    every: timedelta = OFTEN,
    last_seen: Callable[[], str] = lambda: "",
    hint: str = "read the component logs of this run",
) -> T:
    """Poll `condition` until it returns something true, and return that.

    Errors: `NotInTime`, with what `last_seen` says, when `within` has passed.
    Records `wait` with seconds, polls and outcome.
    """
    begin = clock.mono()
    polls = 0
    while True:
        polls += 1
        found = condition()
        waited = clock.since(begin)
        if found:
            recorder.record("wait", what=what, seconds=waited.total_seconds(), polls=polls, outcome="reached")
            return found
        if waited >= within:
            recorder.record("wait", what=what, seconds=waited.total_seconds(), polls=polls, outcome="not in time")
            seen = f"; last seen: {last_seen()}" if last_seen() else ""
            raise NotInTime(f"{what}: not within {within.total_seconds():g} s{seen}", hint=hint)
        clock.sleep(every)
