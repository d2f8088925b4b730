"""Has a scenario become significantly slower than its own history? A robust rule over like runs only. Pure.

Slower is: even the low end of the latest figure's error bar lies above the median of the earlier high ends by more than
4 x (1 + 10 / n) of their median absolute deviations, and by more than 10 % of the median. n is the number of earlier
runs, at most the latest 20; fewer than 5 are too few to tell. The factor grows where n is small, since the deviation of
few figures is itself uncertain: with equal noise of any size it fires in about 1 of 100 comparisons with 5 earlier
runs, and in 3 of 1,000 with 12 or more (tests/test_slower.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median

from harness.checks import Outcome
from harness.schedule.past import Figure, Likeness, Past, Scenario

NEVER = datetime.min.replace(tzinfo=UTC)
FEWEST = 5
MOST = 20
DEVIATIONS = 4.0
SMALL = 10.0  # with so many earlier runs the factor is doubled
SHARE = 0.10  # of the median: less than that is not worth an alarm
WATCHED = {"rto": "recovery time", "detection": "detection"}  # in seconds


class Trend(StrEnum):
    SLOWER = "slower"
    NOT_SLOWER = "not slower"
    TOO_FEW = "too few to tell"


@dataclass(frozen=True)
class Comparison:
    """The latest figure of a scenario against the earlier ones of runs like it. All figures in seconds."""

    drill: str
    scenario: str
    title: str
    id: str  # rto, detection
    likeness: Likeness
    latest: Past
    figure: Figure
    earlier: int  # how many it was compared with
    trend: Trend
    median: float | None = None
    limit: float | None = None  # above which the low end must not lie


def limit_of(highs: Sequence[float]) -> tuple[float, float]:
    """The median of the earlier high ends, and the limit."""
    middle = median(highs)
    deviation = median(abs(high - middle) for high in highs)
    factor = DEVIATIONS * (1 + SMALL / len(highs))
    return middle, middle + max(factor * deviation, SHARE * middle)


Found = list[tuple[Past, Scenario, Figure]]
Key = tuple[str, str, str]  # drill, scenario, id of the finding


def comparisons(runs: Iterable[Past]) -> list[Comparison]:
    """For each scenario, figure, kind of stack and class of environment: the latest run against those like it.

    Runs that were sabotaged, cut short, or do not verify are left out; one with `--only`
    is in, for its figure is one.
    """
    series: dict[tuple[Key, Likeness], Found] = {}
    newest: dict[tuple[Key, str, str], Likeness] = {}
    for run in sorted(runs, key=lambda run: (run.began or NEVER, run.number)):
        if run.why_not():
            continue
        for scenario in run.scenarios:
            for id in WATCHED:
                figure = scenario.figures.get(id)
                if scenario.drill and figure and figure.unit == "s" and figure.outcome is not Outcome.UNKNOWN:
                    key = (scenario.drill, scenario.name, id)
                    series.setdefault((key, run.likeness), []).append((run, scenario, figure))
                    newest[key, run.likeness.stack, run.likeness.environment] = run.likeness
    return [_compared(key, likeness, series[key, likeness]) for (key, _, _), likeness in newest.items()]


def _compared(key: Key, likeness: Likeness, found: Found) -> Comparison:
    latest, scenario, figure = found[-1]
    highs = [earlier.high for _, _, earlier in found[:-1] if earlier.high is not None and not earlier.lower_bound]
    highs = highs[-MOST:]
    trend, middle, limit = Trend.TOO_FEW, None, None
    if len(highs) >= FEWEST:
        middle, limit = limit_of(highs)
        low = figure.low if figure.low is not None else figure.figure
        trend = Trend.SLOWER if low > limit else Trend.NOT_SLOWER
    drill, name, id = key
    return Comparison(drill, name, scenario.title, id, likeness, latest, figure, len(highs), trend, middle, limit)
