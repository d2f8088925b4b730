"""The one door to time. Lengths come from the monotonic clock, stamps are UTC."""

from __future__ import annotations

import time
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
