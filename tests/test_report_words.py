"""How figures are written: with units, and never so rounded that the error bar loses the truth."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.words import length, limit, measured, quantity, ratio, size

SECONDS = st.floats(min_value=0, max_value=90_000, allow_nan=False)
UNITS = {"h": 3600, "min": 60, "s": 1}


def read(words: str) -> float:
    """`4 min 12 s` in seconds; a bare number is seconds."""
    if re.fullmatch(r"-?[0-9.]+", words):
        return float(words)
    assert re.fullmatch(r"([0-9.]+ (h|min|s) ?)+", words), words
    return sum(float(many) * UNITS[unit] for many, unit in re.findall(r"([0-9.]+) (h|min|s)", words))


@given(st.tuples(SECONDS, SECONDS, SECONDS).map(sorted))
def test_a_printed_error_bar_holds_the_truth(ends: list[float]) -> None:
    """Whatever lies in the measured bar also lies in the printed one, in seconds, minutes and hours."""
    low, figure, high = (round(end, 6) for end in ends)
    words = measured(figure, low, high, "s", lower_bound=False)
    found = re.fullmatch(r"(.*?) \((.*) to (.*)\)", words)
    if found is None:
        assert low == figure == high
        return
    assert read(found[2]) <= low and high <= read(found[3])


@given(SECONDS)
def test_a_length_is_rounded_to_the_nearest(seconds: float) -> None:
    """To a hundredth below 10 s, a tenth below 2 min, a second below 1 h, a minute beyond."""
    words = length(seconds)
    if words == "under 0.01 s":
        assert seconds < 0.005 + 1e-6
        return
    step = 0.01 if seconds < 10 else 0.1 if seconds < 120 else 1 if seconds < 3600 else 60
    assert abs(read(words) - seconds) <= step / 2 + 1e-6


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3600, "1 h"),
        (300, "5 min"),
        (30, "30 s"),
        (3153.6, "52.56 min"),
        (14400, "4 h"),
        (0.5, "0.5 s"),
        (90, "90 s"),
    ],
)
def test_an_objective_is_written_exactly(seconds: float, words: str) -> None:
    """An objective reads as the plan writes it."""
    assert limit(seconds) == words


def test_figures_read_like_sentences() -> None:
    """Units are everywhere, one is singular, a lower bound says `at least`, and nothing measured says so."""
    assert measured(12.4, 12.11, 12.58, "s", lower_bound=False) == "12.4 s (12.1 to 12.6)"
    assert measured(93.1, 93.1, None, "s", lower_bound=True) == "at least 93.1 s"
    assert measured(None, None, None, "s", lower_bound=False) == "no figure"
    assert measured(252, 250.2, 253.9, "s", lower_bound=False) == "4 min 12 s (4 min 10 s to 4 min 14 s)"
    assert (quantity(1, "transactions"), quantity(1200, "transactions")) == ("1 transaction", "1,200 transactions")
    assert (size(999), size(41_234_567), size(1.25e9)) == ("999 bytes", "41 MB", "1.2 GB")
    assert (ratio(30, 3600), ratio(30, 20), ratio(5, 0)) == ("0.8 % of it", "1.5 times it", "")
    assert ratio(3600, 3600) == "100 % of it"
    assert ratio(20, 3600, lower_bound=True) == "at least 0.6 % of it"
    assert (ratio(2, 3600), ratio(2, 3600, lower_bound=True)) == ("under 0.1 % of it", "")
