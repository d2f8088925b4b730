"""The one door to time. Lengths come from the monotonic clock, stamps are UTC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """One instant on both clocks: `utc` for people, `mono` (nanoseconds of CLOCK_MONOTONIC) for lengths.

    CLOCK_MONOTONIC is one for all processes of a boot, namespaces included.
    """

    utc: datetime
    mono: int


CALL = "the call that made it, and its return"  # what says so of a moment, where nothing says it more exactly


@dataclass(frozen=True)
class Moment:
    """Between which readings of the monotonic clock, in nanoseconds, something took effect, and what says so.

    No sooner than `earliest` did anything of it, and no later than `latest` all of it.
    """

    earliest: int
    latest: int
    by: str


def around(act: Callable[[], object], *, by: str) -> Moment:
    """Do the one thing that takes effect, and nothing else; what it returns is not looked at. Errors: those of it."""
    earliest = time.monotonic_ns()
    act()
    return Moment(earliest, time.monotonic_ns(), by)


def spanning(moments: Iterable[Moment | None], *, by: str = "") -> Moment | None:
    """What takes effect in stages: from the first to the last; None where nothing is known of one, or there is none.

    `by`: what says so, where the stages do not say it better themselves.
    """
    known = []
    for moment in moments:
        if moment is None:
            return None
        known.append(moment)
    if not known:
        return None
    said = by or "; ".join(dict.fromkeys(moment.by for moment in known))
    return Moment(min(each.earliest for each in known), max(each.latest for each in known), said)


def now() -> Stamp:
    """This instant."""
    return Stamp(utc=datetime.now(UTC), mono=time.monotonic_ns())


def mono() -> int:
    """Nanoseconds of CLOCK_MONOTONIC."""
    return time.monotonic_ns()


def boot() -> str:
    """The id of this boot of the machine, within which the monotonic clock never goes back."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def since(start: int) -> timedelta:
    """The time since a reading of `mono()`."""
    return timedelta(microseconds=(time.monotonic_ns() - start) / 1000)


def sleep(length: timedelta) -> None:
    """Sleep. For pacing only: no verdict may depend on it."""
    time.sleep(max(0.0, length.total_seconds()))


def utc_text(moment: datetime) -> str:
    """`2026-11-23T20:55:01.123456Z`, the one form of UTC in journals and packs."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
