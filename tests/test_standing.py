"""Where a duty stands: the rule that an auditor is told, on made-up runs and days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks import Outcome
from harness.schedule.past import Past
from harness.schedule.standing import Standing, State, due, standings
from harness.schedule.waivers import Waiver
from tests.made_months import FIRST, QUARTER, SECOND, YEAR, made_plan, past

pytestmark = pytest.mark.usefixtures("as_sealed")

NOVEMBER, DECEMBER = "2026-11-02", "2026-12-07"  # first Mondays


def standing(
    today: str, *runs: Past, drill: str = FIRST, waivers: Sequence[Waiver] = (), zone: str = "UTC"
) -> Standing:
    found = standings(made_plan(zone=zone), runs, waivers, date.fromisoformat(today))
    return next(each for each in found if each.duty.drill == drill)


def states(found: Standing) -> dict[str, str]:
    return {each.period.name: str(each.state) for each in found.owed}


def waiver(until: str, *, month: str = "2026-11", drill: str = FIRST) -> Waiver:
    return Waiver(drill, month, "Ada", "a holiday", date.fromisoformat(until), 2)


@pytest.mark.parametrize(
    ("today", "state", "open_now", "overdue"),
    [
        ("2026-11-01", State.WAITING, False, False),
        ("2026-11-02", State.DUE, True, False),
        ("2026-11-03", State.LATE, True, True),
        ("2026-11-30", State.LATE, True, True),
    ],
)
def test_a_month_without_a_run(today: str, state: State, open_now: bool, overdue: bool) -> None:
    """Not yet due before its Monday, due on it, late after it."""
    found = standing(today)
    assert states(found) == {"2026-11": state}
    assert bool(found.open) is open_now
    assert bool(found.overdue) is overdue
    assert bool(due([found])) is open_now


def test_what_is_late_is_missed_once_the_next_date_has_come() -> None:
    """Until the day before it can be made up for; from the next Monday on it is missed for good."""
    seen = past("2026-11-20", drill=SECOND)  # the record of the folder begins in November
    assert states(standing("2026-12-06", seen)) == {"2026-11": "late", "2026-12": "not yet due"}
    assert states(standing("2026-12-07", seen)) == {"2026-11": "missed", "2026-12": "due"}
    again = standing("2026-12-08", seen, past("2026-12-07", number=2))
    assert states(again) == {"2026-11": "missed", "2026-12": "done"}
    assert again.missed and not again.overdue, "missed stays a fact; the duty itself is done again"


def test_a_run_counts_from_the_first_of_its_month() -> None:
    """Also before its Monday, and whatever its verdict is."""
    for day in ("2026-11-01", "2026-11-02", "2026-11-29"):
        assert states(standing("2026-11-30", past(day))) == {"2026-11": "done"}
    assert standing("2026-11-30", past(NOVEMBER, verdict=Outcome.MISSED)).open == ()
    assert states(standing("2026-11-02", past("2026-10-31")))["2026-11"] == "due"


def test_a_run_counts_once_for_the_oldest_that_is_open() -> None:
    """Made up for on the third of December, November is done and December is still to be run."""
    seen = past("2026-11-20", drill=SECOND)
    made_up = past("2026-12-03", number=2)
    assert states(standing("2026-12-07", seen, made_up)) == {"2026-11": "done", "2026-12": "due"}
    both = standing("2026-12-07", seen, made_up, past("2026-12-04", number=3))
    assert states(both) == {"2026-11": "done", "2026-12": "done"}
    assert [each.run.number for each in both.owed if each.run] == [2, 3]
    assert [each.days_late for each in both.owed] == [31, 0]
    assert states(standing("2026-12-08", past(NOVEMBER), past("2026-11-09", number=2)))["2026-12"] == "late"


def test_the_first_run_of_all_is_not_late() -> None:
    """A project that begins on the last day of a month owed nothing on its first Monday."""
    (only,) = standing("2026-11-30", past("2026-11-30")).owed
    assert only.state is State.DONE and only.days_late == 0
    again = standing("2026-12-20", past("2026-11-30"), past("2026-12-20", number=2))
    assert [each.days_late for each in again.owed] == [0, 13]


def test_the_day_is_one_of_the_plans_time_zone() -> None:
    """Half past eleven at night in UTC is the next day in Berlin, and another month."""
    run = past("2026-10-31", hour=23)
    run = Past(**{**vars(run), "began": run.began and run.began + timedelta(minutes=30)})
    assert states(standing("2026-11-01", run, zone="UTC")) == {"2026-10": "done", "2026-11": "not yet due"}
    assert states(standing("2026-11-01", run, zone="Europe/Berlin")) == {"2026-11": "done"}
    assert run.day(ZoneInfo("Europe/Berlin")) == date(2026, 11, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome": "stopped"},
        {"outcome": "killed"},
        {"outcome": "aborted"},
        {"outcome": ""},
        {"sabotage": "no-archiving"},
        {"whole": frozenset()},
        {"problem": "file-changed"},
        {"began": None},
    ],
    ids=str,
)
def test_what_does_not_count(changed: dict[str, object]) -> None:
    """Stopped, killed, aborted, sabotaged, not all scenarios, not verified, without a date."""
    found = standing("2026-11-03", past(NOVEMBER, **changed))
    assert states(found) == {"2026-11": "late"}
    assert found.latest is None


def test_a_drill_is_owed_from_the_month_in_which_it_first_existed() -> None:
    """The features in the packs say when that was; what was not built then is not missed."""
    without = past(NOVEMBER, known=frozenset({FIRST}))
    later = past("2027-01-04", number=2)
    assert list(states(standing("2027-01-12", without, later))) == ["2026-11", "2026-12", "2027-01"]
    assert states(standing("2027-01-12", without, later, drill=SECOND)) == {"2027-01": "late"}


def test_a_quarter_has_until_the_end_of_its_month() -> None:
    """It is asked for from the first day of the month on, and counts from the first day of the quarter."""
    assert states(standing("2026-11-30", drill=QUARTER)) == {"2026-12": "not yet due"}
    assert states(standing("2026-12-01", drill=QUARTER)) == {"2026-12": "due"}
    early = past("2026-10-01", drill=QUARTER)
    assert states(standing("2027-01-01", early, drill=QUARTER)) == {"2026-12": "done", "2027-03": "not yet due"}
    late = past("2026-11-02", drill=FIRST)
    assert states(standing("2027-01-01", late, drill=QUARTER))["2026-12"] == "late"
    assert states(standing("2027-03-31", late, drill=QUARTER)) == {"2026-12": "missed", "2027-03": "due"}


def test_what_is_not_built_is_never_owed() -> None:
    """It has its next date, and nothing else."""
    found = standing("2026-12-31", past(NOVEMBER), drill=YEAR)
    assert (found.built, found.owed, found.open, found.overdue) == (False, (), (), ())
    assert found.upcoming.last == date(2027, 12, 31)


def test_a_waiver_holds_until_it_ends() -> None:
    """On its last day it still holds; after it the drill is late as before, and missed all the same."""
    held = standing("2026-11-05", waivers=[waiver("2026-11-05")])
    assert states(held) == {"2026-11": "late"}
    assert held.waived and not held.overdue and not held.open
    ended = standing("2026-11-06", waivers=[waiver("2026-11-05")])
    assert ended.overdue and ended.open and not ended.waived
    assert ended.owed[0].waiver, "that there was one is still said"
    for other in (waiver("2026-11-05", month="2026-12"), waiver("2026-11-05", drill=SECOND)):
        assert standing("2026-11-05", waivers=[other]).overdue
    missed = standing("2026-12-07", past("2026-11-20", drill=SECOND), waivers=[waiver("2026-12-31")])
    assert states(missed)["2026-11"] == "missed"
    assert not missed.overdue


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@settings(deadline=None)
@given(st.lists(DAYS, max_size=12), DAYS)
def test_more_runs_never_make_it_worse(days: list[date], today: date) -> None:
    """Each run does at most one month, no run does a month that ended before its window, and none is lost."""
    runs = [past(str(day), number=at) for at, day in enumerate(sorted(days), start=1)]
    found = standing(str(today), *runs)
    done = [each for each in found.owed if each.run]
    assert len({each.run.number for each in done if each.run}) == len(done)
    for each in done:
        assert each.run and each.run.began
        assert each.period.first <= each.run.began.date() < each.period.until
    fewer = standing(str(today), *runs[:-1])
    assert len(done) >= sum(each.run is not None for each in fewer.owed)
