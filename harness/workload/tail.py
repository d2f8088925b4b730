"""What the customers see right now, from their ledgers as they grow: for progress and for waiting, never for a verdict.

Each look reads only what was added since the last one.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from harness.system import clock
from harness.system.growing import Growing
from harness.workload import ledger

LATELY = timedelta(seconds=5)
SILENT = timedelta(seconds=3)  # without any due time, customers are taken to be gone
LATE = timedelta(seconds=30)  # no end is told of longer than this after its due time
GRACE = timedelta(seconds=2)  # over a request's time-out, then the customers that sent it are taken to be gone


@dataclass(frozen=True)
class Recent:
    """What came of requests in the last few seconds, all zones together."""

    rate: float  # acknowledged a second
    bad: float  # failed, in doubt or not sent, a second
    under_way: int
    good_since: int | None  # first good completion after the latest bad due time, monotonic nanoseconds
    good_until: int  # the due time up to which every zone's customers have had an answer, monotonic nanoseconds


class Tail:
    """Follows the ledgers of all zones of one scenario."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._zones = {zone: _Zone(path) for zone, path in files.items()}
        self._stretch = _Stretch()
        self._lately: deque[_End] = deque()
        self._lock = threading.Lock()  # progress looks from a thread of its own

    def begun(self) -> list[str]:
        """Zones whose customers have had a due time."""
        with self._lock:
            self._read()
            return [name for name, zone in self._zones.items() if zone.latest]

    def recent(self) -> Recent:
        """What the customers see."""
        with self._lock:
            self._read()
            now, seconds = clock.mono(), LATELY.total_seconds()
            good = [end.good for end in self._lately if now - end.t <= _ns(LATELY)]
            return Recent(
                rate=sum(good) / seconds,
                bad=(len(good) - sum(good)) / seconds,
                under_way=sum(len(zone.under_way) for zone in self._zones.values()),
                good_since=self._good_since(now),
                good_until=min((zone.answered(now) for zone in self._zones.values()), default=0),
            )

    def _read(self) -> None:
        for zone in self._zones.values():
            for end in zone.read():
                self._stretch.add(end)
                self._lately.append(end)
        while self._lately and self._lately[-1].t - self._lately[0].t > 2 * _ns(LATELY):
            self._lately.popleft()

    def _good_since(self, now: int) -> int | None:
        zones = self._zones.values()
        if any(now - zone.latest > _ns(SILENT) for zone in zones):
            return None
        return self._stretch.first_after(max((zone.stale(now) for zone in zones), default=0))


class _End(NamedTuple):
    due: int
    t: int
    good: bool


@dataclass
class _Zone:
    """One ledger, read as far as it goes."""

    path: Path
    under_way: dict[int, int] = field(default_factory=dict)  # number to due time
    latest: int = 0  # due time
    _timeout: int = 0
    _growing: Growing = field(default_factory=Growing)

    def answered(self, now: int) -> int:
        """The latest due time, or before it that of the first request that still waits: what hangs is not good yet."""
        return min((due for due in self.under_way.values() if not self._gone(due, now)), default=self.latest)

    def read(self) -> Iterator[_End]:
        """What ended since the last look."""
        for fact in map(json.loads, self._growing.lines(self.path)):
            event = fact.get("e")
            if event is None:
                self._timeout = int(fact["timeout"] * 1e9)
            elif event == "sent":
                self.under_way[fact["n"]] = self.latest = fact["due"]
            elif event == "not_sent":
                self.latest = fact["due"]
                yield _End(fact["due"], fact["t"], good=False)
            elif event in ledger.ENDS:
                yield _End(self.under_way.pop(fact["n"]), fact["t"], good=event == "acknowledged")

    def stale(self, now: int) -> int:
        """The latest due time of a request that should have ended long ago: its customers are gone; 0 without any."""
        return max((due for due in self.under_way.values() if self._gone(due, now)), default=0)

    def _gone(self, due: int, now: int) -> bool:
        return now - due > self._timeout + _ns(GRACE)


class _Stretch:
    """The latest unbroken stretch of good ends: after which due time, though ends come in another order."""

    def __init__(self) -> None:
        self._bad = 0  # latest due time of a bad end
        self._first: _End | None = None  # the first completed after that, of those that are no longer in `_good`
        self._good: deque[_End] = deque()  # of the last while

    def add(self, end: _End) -> None:
        if not end.good:
            self._bad = max(self._bad, end.due)
            return
        self._good.append(end)
        while end.t - self._good[0].t > _ns(LATE):
            old = self._good.popleft()
            if old.due > self._bad and (self._first is None or self._first.due <= self._bad):
                self._first = old

    def first_after(self, stale: int) -> int | None:
        """The first completion of a request due after the latest bad one."""
        bad = max(self._bad, stale)
        if self._first is not None and self._first.due > bad:
            return self._first.t
        return min((end.t for end in self._good if end.due > bad), default=None)


def _ns(length: timedelta) -> int:
    return length // timedelta(microseconds=1) * 1000
