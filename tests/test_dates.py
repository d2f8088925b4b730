"""When the duties of a calendar fall."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from harness.duties import ics
from harness.duties.dates import dates, following, periods, weekday_in
from harness.plan import Duty
from harness.plan.shape import ORDINALS, WEEKDAYS
from tests.made_months import DUTIES, made_plan

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


# The calendar file, read by another program


def test_a_calendar_reads_the_same_dates_out_of_the_file() -> None:
    """The rule of each event, expanded by dateutil, gives the dates that we compute."""
    last_monday = Duty("last-drill", "Last; drill, with \\ and ü", "monthly", "TST-M3", ("last", "Monday"), (), (), "")
    plan = made_plan(duties=(*DUTIES, last_monday))
    events = Calendar.from_ical(ics.calendar(plan)).walk("VEVENT")
    assert len(events) == len(plan.calendar)
    for event, duty in zip(events, plan.calendar, strict=True):
        first = event.decoded("DTSTART")
        rule = rrule.rrulestr(event["RRULE"].to_ical().decode(), dtstart=first)
        expanded = [moment.date() for moment in islice(rule, 40)]
        assert expanded == dates(duty, since=plan.last_updated, count=40)
        assert event.decoded("DTEND") - first == timedelta(days=1)
        assert duty.title in str(event["SUMMARY"])
        assert (str(event["SUMMARY"]).endswith("(not built)")) == bool(duty.not_built)
        assert event.errors == []


def test_the_file_keeps_to_the_rules_of_its_format() -> None:
    """CRLF everywhere, no line over 75 octets, one UID each, and the same plan gives the same bytes."""
    title = "Ein sehr langer Übungsname, der " + "gefaltet " * 12
    plan = made_plan(duties=(*DUTIES, Duty("long-drill", title, "annual", "TST-A9", None, (), ("all",), "")))
    written = ics.calendar(plan)
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line] == []
    for line in lines:
        line.decode()  # no letter is cut in two
    uids = [line for line in lines if line.startswith(b"UID:")]
    assert len(set(uids)) == len(plan.calendar)
    assert ics.calendar(plan) == written
    assert str(Calendar.from_ical(written).walk("VEVENT")[-1]["SUMMARY"]) == f"Drill: {title}"


@pytest.mark.parametrize("event", ["first-drill", "second-drill"])
def test_a_duty_keeps_its_uid(event: str) -> None:
    """Another version of the plan changes the event in a calendar, and adds none."""
    ours = {str(each["UID"]).split(".")[0]: str(each["UID"]) for each in Calendar.from_ical(
        ics.calendar(made_plan())).walk("VEVENT")}  # fmt: skip
    again = Calendar.from_ical(ics.calendar(made_plan(zone="Europe/Berlin", duties=DUTIES[:2]))).walk("VEVENT")
    assert ours[event] in {str(each["UID"]) for each in again}
