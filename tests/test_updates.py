"""Updates of customers: when they are due on the incident's clock, whatever clock it is given."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from harness.communications.pace import REAL_TIME, Pace
from harness.communications.updates import Due, Ticking, Updates
from harness.system import wait
from harness.system.recorder import Memory

HALF_AN_HOUR = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = timedelta(days=3)

    def __call__(self) -> int:
        return int(self.at / timedelta(microseconds=1)) * 1000


def test_an_update_is_due_every_half_hour_and_told_once() -> None:
    """Not before, and not again; after it the next one."""
    hands = Hands()
    updates = Updates(HALF_AN_HOUR, pace=REAL_TIME, now=hands)
    assert updates.due() is None and updates.next_in() == HALF_AN_HOUR
    hands.at += 29 * MINUTE
    assert updates.due() is None and updates.next_in() == MINUTE
    hands.at += 3 * MINUTE
    assert updates.next_in() == timedelta()
    assert updates.due() == Due(1, HALF_AN_HOUR, 2 * MINUTE, 0) and updates.due() is None
    assert updates.next_in() == 28 * MINUTE
    hands.at += 28 * MINUTE
    assert updates.due() == Due(2, 2 * HALF_AN_HOUR, timedelta(), 0)


def test_what_was_missed_is_told_as_one_and_said() -> None:
    """Whoever was held up sends the latest, and how many are lacking."""
    hands = Hands()
    updates = Updates(HALF_AN_HOUR, pace=REAL_TIME, now=hands)
    hands.at += 100 * MINUTE
    assert updates.due() == Due(3, 90 * MINUTE, 10 * MINUTE, 2)


@pytest.mark.parametrize("ratio", [1.0, 60.0, 900.0])
def test_a_compressed_clock_is_faster_by_its_ratio(ratio: float) -> None:
    """At 900 a half hour passes in 2 s."""
    hands = Hands()
    updates = Updates(HALF_AN_HOUR, pace=Pace(ratio), now=hands)
    assert updates.next_in() == HALF_AN_HOUR / ratio
    hands.at += 2 * HALF_AN_HOUR / ratio
    due = updates.due()
    assert due is not None and due.number == 2 and updates.passed() == 2 * HALF_AN_HOUR


def test_each_update_is_told_in_its_time_until_the_end() -> None:
    """With the ratio in the lines of its begin and its end; after the end nothing is told."""
    told: list[Due] = []
    memory = Memory()
    ticking = Ticking(Updates(HALF_AN_HOUR, pace=Pace(36_000.0)), told.append, recorder=memory)
    assert wait.poll(lambda: len(told) >= 3, within=timedelta(seconds=10))
    ticking.stop()
    ticking.stop()
    count = len(told)
    assert [due.number for due in told[:3]] == [1, 2, 3]
    assert not wait.poll(lambda: len(told) > count, within=timedelta(seconds=0.2))
    (begin, began), (end, ended) = memory.facts
    assert (begin, began) == ("updates.begin", {"every": 1800.0, "ratio": 36_000.0})
    assert end == "updates.end" and ended["told"] == count and ended["ratio"] == 36_000.0 and ended["passed"] > 5400


def test_an_update_that_cannot_be_told_is_a_line_and_the_next_one_follows() -> None:
    """A field that nobody filled, say."""
    asked = threading.Semaphore(0)

    def tell(due: Due) -> None:
        asked.release()
        raise ValueError("nothing to say")

    memory = Memory()
    ticking = Ticking(Updates(HALF_AN_HOUR, pace=Pace(36_000.0)), tell, recorder=memory)
    assert asked.acquire(timeout=10) and asked.acquire(timeout=10)
    ticking.stop()
    failed = [data for kind, data in memory.facts if kind == "updates.failed"]
    assert failed[0] == {"number": 1, "why": "ValueError: nothing to say"} and len(failed) >= 2
