"""Lengths of time and percentages as a plan writes them: read exactly, and said again in the same words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plan.lengths import for_people, in_words, length_of_time, percentage, roughly


@given(st.integers(1, 10**6), st.sampled_from(["s", "min", "h"]))
def test_whole_numbers_are_exact(number: int, unit: str) -> None:
    """A whole number of seconds, minutes or hours below a century is exact to the microsecond."""
    length = {"s": timedelta(seconds=number), "min": timedelta(minutes=number), "h": timedelta(hours=number)}[unit]
    if length <= timedelta(days=36_525):
        assert length_of_time(f"{number} {unit}") == length


@pytest.mark.parametrize("words", ["1 h", "24 h", "5 min", "52.56 min", "90 min", "30 s", "61 s", "2.5 s", "0.2 s"])
def test_a_length_is_said_as_the_plan_writes_it(words: str) -> None:
    """A length that was read from words is said in the shortest words that mean the same."""
    assert in_words(length_of_time(words)) == words


def test_a_length_is_said_to_customers_in_whole_words() -> None:
    """One hour is no `1 hours`."""
    said = [for_people(length_of_time(words)) for words in ("4 h", "1 h", "30 min", "1 min", "61 s")]
    assert said == ["4 hours", "1 hour", "30 minutes", "1 minute", "61 seconds"]


@given(st.integers(1, 10**7))
def test_a_length_in_words_is_read_back(seconds: int) -> None:
    """Whatever is said about a length is read back as that length, to the microsecond."""
    assert length_of_time(in_words(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_percentage_keeps_every_digit() -> None:
    """Eleven nines stay eleven nines."""
    assert percentage("99.999999999 %") == Decimal("99.999999999")
    for wrong in ("99.99", "101 %", "-1 %", "nine %", "%"):
        with pytest.raises(ValueError, match="is not a percentage"):
            percentage(wrong)


@pytest.mark.parametrize(
    ("seconds", "said"), [(31.4, "31 s"), (3255, "54 min"), (3 * 3600 + 240, "3 h"), (2.4 * 86400, "58 h")]
)
def test_an_age_is_told_roughly(seconds: float, said: str) -> None:
    """Nobody wants hours to the second."""
    assert roughly(timedelta(seconds=seconds)) == said
