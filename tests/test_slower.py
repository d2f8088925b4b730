"""Slower than its own history: a rule that notices, and that noise does not fire."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Outcome
from harness.schedule.past import Figure, Past
from harness.schedule.slower import FEWEST, MOST, Comparison, Trend, comparisons, limit_of
from tests.made_months import SECOND, past

pytestmark = pytest.mark.usefixtures("as_sealed")

BAR = 0.3  # seconds


def figure(seconds: float, **changed: object) -> Figure:
    return replace(Figure(Outcome.MET, "s", seconds, seconds - BAR, seconds, False, 60.0), **changed)


def series(*seconds: float) -> list[Past]:
    """Runs of a drill with one scenario, a day apart."""
    return [
        past(f"2026-{1 + at // 28:02}-{1 + at % 28:02}", number=at + 1, drill=SECOND, rto=figure(each))
        for at, each in enumerate(seconds)
    ]


def only(runs: Sequence[Past]) -> Comparison:
    (found,) = comparisons(runs)
    return found


def test_few_runs_are_too_few_to_tell() -> None:
    """With four earlier runs nothing is said, however slow the latest is; with five it is."""
    few = only(series(20, 20, 20, 20, 900))
    assert (few.trend, few.earlier, few.limit) == (Trend.TOO_FEW, 4, None)
    assert only(series(20, 20, 20, 20, 20, 900)).trend is Trend.SLOWER
    assert FEWEST == 5


def test_ten_percent_is_no_alarm_and_half_as_much_again_is() -> None:
    """Of a history that hardly varies; the low end of the error bar is what has to lie above the limit."""
    steady = [20.0, 20.1, 19.9, 20.0, 20.1, 20.0]
    assert only(series(*steady, 22.2)).trend is Trend.NOT_SLOWER
    assert only(series(*steady, 23.0)).trend is Trend.SLOWER
    assert only(series(*steady, 30.0)).trend is Trend.SLOWER
    wide = series(*steady, 30.0)
    wide[-1] = past("2026-12-01", number=99, drill=SECOND, rto=figure(30.0, low=21.0))
    assert only(wide).trend is Trend.NOT_SLOWER


def test_a_history_that_varies_wants_more() -> None:
    """One outlier in it neither raises an alarm nor hides one."""
    assert only(series(20, 30, 22, 28, 25, 21, 33)).trend is Trend.NOT_SLOWER
    assert only(series(20, 20.2, 19.9, 300, 20.1, 20, 20.1, 40)).trend is Trend.SLOWER
    assert only(series(20, 20.2, 19.9, 300, 20.1, 20, 20.1, 20.3)).trend is Trend.NOT_SLOWER


def test_a_recovery_that_did_not_come_is_slower() -> None:
    """At least so long is enough to say so; as an earlier figure it says nothing."""
    never = figure(50.0, low=50.0, high=None, lower_bound=True, outcome=Outcome.MISSED)
    runs = series(20, 20, 20, 20, 20)
    assert only([*runs, past("2026-12-01", number=9, drill=SECOND, rto=never)]).trend is Trend.SLOWER
    after = only([*runs[:4], past("2026-01-20", number=9, drill=SECOND, rto=never), *series(20)])
    assert after.earlier == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"stack": "docker"},
        {"environment": "staging"},
        {"scale": 5.0},
        {"rate": 90.0},
        {"cpus": 8},
        {"sandbox": "loopback"},
    ],
    ids=str,
)
def test_only_like_is_compared_with_like(changed: dict[str, object]) -> None:
    """On another stack, machine, size or rate the history begins anew."""
    runs = series(20, 20, 20, 20, 20, 40)
    other = replace(runs[-1], likeness=replace(runs[-1].likeness, **changed))
    found = comparisons([*runs[:-1], other])
    assert next(each for each in found if each.latest is other).trend is Trend.TOO_FEW
    assert len(found) == (2 if set(changed) & {"stack", "environment"} else 1)


@pytest.mark.parametrize(
    "changed",
    [{"sabotage": "x"}, {"outcome": "stopped"}, {"problem": "file-changed"}],
    ids=str,
)
def test_what_is_no_evidence_is_not_compared(changed: dict[str, str]) -> None:
    """A sabotaged run is slow on purpose; neither it nor one that was stopped or does not verify is looked at."""
    runs = series(20, 20, 20, 20, 20, 20, 90)
    found = only([*runs[:-1], replace(runs[-1], **changed)])
    assert (found.trend, found.latest.number) == (Trend.NOT_SLOWER, 6)


def test_an_unknown_figure_is_not_compared() -> None:
    """A figure of a scenario whose fault did not bite says nothing."""
    runs = series(20, 20, 20, 20, 20, 20)
    unknown = past("2026-12-01", number=9, drill=SECOND, rto=figure(90.0, outcome=Outcome.UNKNOWN))
    assert only([*runs, unknown]).latest.number == 6


@settings(deadline=None)
@given(st.floats(1, 1e4), st.floats(0, 0.4), st.integers(FEWEST, MOST), st.integers(0, 2**32))
def test_noise_alone_rarely_fires(size: float, noise: float, count: int, seed: int) -> None:
    """With equal noise around one figure, of any size and width, at most 3 of 100 latest runs are called slower."""
    random_ = random.Random(seed)
    tries = 300
    fired = 0
    for _ in range(tries):
        *earlier, latest = (max(random_.gauss(size, noise * size), 0.0) for _ in range(count + 1))
        fired += latest > limit_of(earlier)[1]
    assert fired <= tries * 0.03 + 6, "6: what 300 tries may give by chance"


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 1e4), min_size=FEWEST, max_size=MOST))
def test_a_run_no_slower_than_the_median_never_fires(highs: list[float]) -> None:
    """Nor does one within ten percent of it."""
    middle, limit = limit_of(highs)
    assert middle * 1.1 <= limit * 1.0000001


def test_only_the_newest_of_a_long_history_count() -> None:
    """What was slow years ago does not excuse what is slow now."""
    assert only(series(*[90.0] * 30, *[20.0] * MOST, 40.0)).trend is Trend.SLOWER
