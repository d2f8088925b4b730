"""The one door to polling: nobody else loops and sleeps. A wait for a stack has a name, and says what it saw last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from harness.errors import NotInTime
from harness.system import clock
from harness.system.recorder import Recorder

T = TypeVar("T")
OFTEN = timedelta(milliseconds=100)
LONG = timedelta(seconds=2)  # after which people are told what is waited for


def poll(
    ask: Callable[[], T],
    *,
    within: timedelta | None,
    every: timedelta = OFTEN,
    enough: Callable[[T], object] = bool,
) -> T:
    """Ask until the answer is `enough`, or `within` has passed (None: for as long as it takes); returns the last one.

    It is asked at least once. `ask` may act, too: kill what is left and say whether nothing was. Nothing is recorded.
    """
    begin = clock.mono()
    while True:
        answer = ask()
        if enough(answer) or (within is not None and clock.since(begin) >= within):
            return answer
        clock.sleep(every)


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
    Records `waiting` once it takes long, and in the end `wait` with seconds, polls and outcome.
    """
    begin = clock.mono()
    polls, told = 0, False

    def counted() -> T | None:
        nonlocal polls, told
        polls += 1
        if not told and clock.since(begin) >= LONG:
            told = True
            recorder.record("waiting", what=what, within=within.total_seconds())
        return condition()

    found = poll(counted, within=within, every=every)
    outcome = "reached" if found else "not in time"
    recorder.record("wait", what=what, seconds=clock.since(begin).total_seconds(), polls=polls, outcome=outcome)
    if not found:
        seen = f"; last seen: {last_seen()}" if last_seen() else ""
        raise NotInTime(f"{what}: not within {within.total_seconds():g} s{seen}", hint=hint)
    return found
