"""When the duties of a calendar fall."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.plan import Duty
from harness.plan.shape import ORDINALS, WEEKDAYS
from harness.schedule.dates import dates, following, periods, weekday_in
from tests.made_months import DUTIES

pytestmark = pytest.mark.usefixtures("as_sealed")

MONTHLY, _, QUARTERLY, ANNUAL = DUTIES
DAYS = st.dates(date(2001, 1, 1), date(2190, 1, 1))


@settings(deadline=None)
@given(st.integers(2000, 2199), st.integers(1, 12), st.sampled_from(ORDINALS), st.sampled_from(WEEKDAYS))
def test_a_weekday_of_a_month_is_that_weekday(year: int, month: int, ordinal: str, weekday: str) -> None:
    """The fourth Friday is a Friday, has three Fridays of its month before it, and the last has none after it."""
    day = weekday_in(year, month, (ordinal, weekday))
    assert (day.year, day.month, WEEKDAYS[day.weekday()]) == (year, month, weekday)
    if ordinal == "last":
        assert (day + timedelta(weeks=1)).month != month
    else:
        assert (day.day - 1) // 7 == ORDINALS.index(ordinal)


@settings(deadline=None)
@given(st.sampled_from(DUTIES), DAYS)
def test_periods_follow_one_another(duty: Duty, since: date) -> None:
    """Each begins after the one before, ends no later than the next date, and none is left out."""
    found = list(islice(periods(duty, since=since), 6))
    assert found[0].last >= since or found[0].name == f"{since:%Y-%m}"
    for period, after in pairwise(found):
        assert period.first <= period.due <= period.last < period.until == after.last
        assert period.last < after.first


@settings(deadline=None)
@given(st.sampled_from(DUTIES), DAYS)
def test_the_next_date_is_later(duty: Duty, day: date) -> None:
    """What follows a day is later than the day, and nothing lies between."""
    after = following(duty, day)
    assert after.last > day
    assert dates(duty, since=day + timedelta(days=1), count=1) == [after.last]


def test_the_dates_of_the_plan() -> None:
    """First Monday of the month; the last day of the named months; the last day of the year."""
    since = date(2026, 11, 2)
    assert dates(MONTHLY, since=since, count=3) == [date(2026, 11, 2), date(2026, 12, 7), date(2027, 1, 4)]
    assert dates(QUARTERLY, since=since, count=2) == [date(2026, 12, 31), date(2027, 3, 31)]
    assert dates(ANNUAL, since=since, count=2) == [date(2026, 12, 31), date(2027, 12, 31)]
    quarter = next(periods(QUARTERLY, since=since))
    assert (quarter.first, quarter.due) == (date(2026, 10, 1), date(2026, 12, 1))
    year = next(periods(ANNUAL, since=since))
    assert (year.first, year.due, year.until) == (date(2026, 1, 1), date(2026, 12, 1), date(2027, 12, 31))
