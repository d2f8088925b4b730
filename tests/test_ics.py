"""The calendar file, read by another program, and taken by a calendar that has read an older one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dateutil import rrule
from icalendar import Calendar

from harness.cli import drdrill, month
from harness.plan import Duty
from harness.schedule import ics
from harness.schedule.dates import dates
from harness.system import clock
from tests.made_months import DUTIES, made_plan
from tests.this_project import PROJECT

pytestmark = pytest.mark.usefixtures("as_sealed")

NOW = datetime(2026, 11, 28, 10, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def events(written: bytes) -> dict[str, Any]:
    return {str(each["UID"]): each for each in Calendar.from_ical(written).walk("VEVENT")}


def test_a_calendar_reads_the_same_dates_out_of_the_file() -> None:
    """The rule of each event, expanded by dateutil, gives the dates that we compute."""
    last_monday = Duty("last-drill", "Last; drill, with \\ and ü", "monthly", "TST-M3", ("last", "Monday"), (), (), "")
    plan = made_plan(duties=(*DUTIES, last_monday))
    events = Calendar.from_ical(ics.calendar(plan, now=NOW)).walk("VEVENT")
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
    written = ics.calendar(plan, now=NOW)
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line] == []
    for line in lines:
        line.decode()  # no letter is cut in two
    uids = [line for line in lines if line.startswith(b"UID:")]
    assert len(set(uids)) == len(plan.calendar)
    assert ics.calendar(plan, now=NOW) == written
    assert str(Calendar.from_ical(written).walk("VEVENT")[-1]["SUMMARY"]) == f"Drill: {title}"


def test_a_changed_event_is_newer_also_where_the_older_file_is_not_at_hand() -> None:
    """As of a colleague who has imported the first file, and is sent the second."""
    moved = (replace(DUTIES[0], day=("first", "Tuesday")), *DUTIES[1:])
    first = events(ics.calendar(made_plan(), now=NOW))
    second = events(ics.calendar(made_plan(duties=moved), now=LATER))
    assert first.keys() == second.keys()
    uid = "TST-M1.quantumnest@drdrill"
    assert first[uid]["RRULE"] != second[uid]["RRULE"]
    assert second[uid]["SEQUENCE"] > first[uid]["SEQUENCE"]
    assert second[uid].decoded("DTSTAMP") == LATER > first[uid].decoded("DTSTAMP") == NOW


def test_what_has_not_changed_is_written_as_it_was() -> None:
    """Over the older file only what changed is newer; nothing changed gives the same bytes."""
    older = ics.calendar(made_plan(), now=NOW)
    assert ics.calendar(made_plan(), now=LATER, older=older) == older
    moved = (DUTIES[0], replace(DUTIES[1], title="Another title, " + "of some length " * 9), *DUTIES[2:])
    before, after = events(older), events(ics.calendar(made_plan(duties=moved), now=LATER, older=older))
    changed = {uid for uid in before if before[uid]["SEQUENCE"] != after[uid]["SEQUENCE"]}
    assert changed == {"TST-M2.quantumnest@drdrill"}
    assert {uid for uid in before if before[uid]["DTSTAMP"].dt != after[uid]["DTSTAMP"].dt} == changed


def test_a_clock_that_went_back_takes_nothing_back() -> None:
    """SEQUENCE rises all the same, and never leaves what fits in it."""
    older = ics.calendar(made_plan(), now=LATER + timedelta(days=3))
    moved = made_plan(duties=(replace(DUTIES[0], title="Moved"), *DUTIES[1:]))
    uid = "TST-M1.quantumnest@drdrill"
    after = events(ics.calendar(moved, now=NOW, older=older))
    assert after[uid]["SEQUENCE"] == events(older)[uid]["SEQUENCE"] + 1
    assert events(ics.calendar(moved, now=datetime(2199, 1, 1, tzinfo=UTC)))[uid]["SEQUENCE"] == 2**31 - 1


def test_a_duty_keeps_its_uid_whatever_is_renamed() -> None:
    """The plan, its version, the drill, its feature and its title: none of them makes a second event."""
    renamed = (replace(DUTIES[0], drill="other-name", title="Other title"), *DUTIES[1:])
    plan = replace(made_plan(zone="Europe/Berlin", duties=renamed), name="Another name", version="7")
    assert events(ics.calendar(plan, now=NOW)).keys() == events(ics.calendar(made_plan(), now=NOW)).keys()


def test_two_duties_of_one_demand_and_two_plans_are_different_events() -> None:
    """By the drill, and by the id of the plan."""
    twins = (DUTIES[0], replace(DUTIES[0], drill="its-twin"))
    assert len(events(ics.calendar(made_plan(duties=twins), now=NOW))) == 2
    other = events(ics.calendar(replace(made_plan(), id="other-platform"), now=NOW))
    assert not other.keys() & events(ics.calendar(made_plan(), now=NOW)).keys()


def test_what_the_plan_has_no_more_is_cancelled() -> None:
    """Once; and it is there again when the plan has it again."""
    older = ics.calendar(made_plan(), now=NOW)
    fewer = ics.calendar(made_plan(duties=DUTIES[1:]), now=LATER, older=older)
    uid = "TST-M1.quantumnest@drdrill"
    gone = events(fewer)[uid]
    assert gone["STATUS"] == "CANCELLED" and gone["SEQUENCE"] > events(older)[uid]["SEQUENCE"]
    assert gone["RRULE"] == events(older)[uid]["RRULE"] and not gone.walk("VALARM") and gone.errors == []
    assert ics.calendar(made_plan(duties=DUTIES[1:]), now=LATER + timedelta(days=1), older=fewer) == fewer
    back = events(ics.calendar(made_plan(), now=LATER, older=fewer))[uid]
    assert back["STATUS"] == "CONFIRMED" and back["SEQUENCE"] > gone["SEQUENCE"] and back.walk("VALARM")


@pytest.mark.parametrize(
    "older",
    [
        b"BEGIN:VCALENDAR\r\nPRODID:-//other//EN\r\nBEGIN:VEVENT\r\nUID:theirs\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        b"\xff\x00 nothing that is known",
        b"x" * 100_000,
    ],
)
def test_a_file_that_is_not_ours_says_nothing(older: bytes) -> None:
    """Nothing of it is taken over."""
    assert ics.calendar(made_plan(), now=NOW, older=older) == ics.calendar(made_plan(), now=NOW)


def test_a_file_of_before_there_was_a_sequence_is_followed() -> None:
    """Its events count from 0, and those of another UID are cancelled."""
    older = ics.calendar(made_plan(), now=NOW).replace(b"UID:TST-M1.", b"UID:first-drill.")
    older = b"\r\n".join(line for line in older.split(b"\r\n") if not line.startswith((b"SEQUENCE", b"STATUS")))
    after = events(ics.calendar(made_plan(), now=LATER, older=older))
    assert after["first-drill.quantumnest@drdrill"]["STATUS"] == "CANCELLED"
    assert all(int(event["SEQUENCE"]) > 200_000_000 for event in after.values())


def test_the_command_goes_by_the_file_that_it_writes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run of it changes nothing in the file."""
    file = tmp_path / "drills.ics"
    look = month.look
    monkeypatch.setattr(month, "look", lambda *_, **__: replace(look(PROJECT, tmp_path), plan=made_plan()))
    words = ["calendar", "--evidence", str(tmp_path), "--ics", str(file)]
    assert CliRunner().invoke(drdrill, words).exit_code == 0
    first = file.read_bytes()
    clock.sleep(timedelta(seconds=1.1))
    assert CliRunner().invoke(drdrill, words).exit_code == 0
    assert file.read_bytes() == first and b"SEQUENCE:" in first
