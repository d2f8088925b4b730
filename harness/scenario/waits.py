"""How a scenario waits, and which parts of a recovery its time goes into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from harness.errors import NotInTime
from harness.system import wait
from harness.system.recorder import Recorder


def in_time(condition: Callable[[], Any], *, what: str, within: timedelta, recorder: Recorder) -> Any:
    """Wait; what does not come in time is None, and a check will say what that means."""
    try:
        return wait.until(condition, what=what, within=within, recorder=recorder)
    except NotInTime:
        return None


@contextmanager
def span(recorder: Recorder, name: str) -> Iterator[None]:
    """`detect`, `decide`, `recover`, `verify`: the parts of an RTO."""
    recorder.record("span.begin", span=name)
    try:
        yield
    finally:
        recorder.record("span.end", span=name)
