"""How far a recovery came, by the words of PostgreSQL 13 to 18; and both sides of a point, each of which can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.restores import Look, Point
from harness.restores.proof.heartbeat import Beats
from harness.restores.proof.reached import Reached, looks_at_point, piece, position, reached

AT = "2026-11-30 10:38:24.621 UTC [7] "
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
LAST = "2026-11-30 11:59:59.5+00"
STOPPED = "recovery stopping before commit of transaction 745, time 2026-11-30 12:00:00.25+00"
OLD = f"""\
{AT}LOG:  starting point-in-time recovery to 2026-11-30 12:00:00+00
{AT}LOG:  restored log file "000000010000000000000003" from archive
{AT}LOG:  redo starts at 0/2000028
{AT}LOG:  consistent recovery state reached at 0/2000100
{AT}LOG:  recovery stopping before commit of transaction 745, time 2026-11-30 12:00:00.25+00
{AT}LOG:  redo done at 0/3004488
{AT}LOG:  last completed transaction was at log time {LAST}
{AT}LOG:  selected new timeline ID: 2
{AT}LOG:  archive recovery complete
"""
NEW = OLD.replace("redo done at 0/3004488", "redo done at 0/3004488 system usage: CPU: user: 0.00 s, elapsed: 0.03 s")
ENDED = "recovery ended before configured recovery target was reached"


def oks(looks: list[Look]) -> list[bool | None]:
    return [look.ok for look in looks]


@pytest.mark.parametrize("log", [OLD, NEW], ids=["13", "14 to 18"])
def test_the_log_says_how_far_it_came(log: str) -> None:
    """The last transaction, the position, the timeline, and what it did not replay any more."""
    found = reached(log)
    assert found.at == "2026-11-30T11:59:59.500000+00:00" and found.lsn == "0/3004488" and found.timeline == 2
    assert found.complete and not found.ended_early and found.fetched == "000000010000000000000003"
    line = found.line(Point(time=NOON), "000000010000000000000003")
    assert line == {
        "point": "the time 2026-11-30 12:00:00+00:00", "ordered": {"time": NOON.isoformat()}, "at": found.at,
        "lsn": "0/3004488", "timeline": 2, "archive_end": "000000010000000000000003", "ended_early": False,
        "stopped_before": {"xid": "745", "time": "2026-11-30T12:00:00.250000+00:00"},
    }  # fmt: skip  # as the journal has it


def test_a_time_with_another_offset_is_the_same_moment() -> None:
    """As a server writes it whose time zone is not UTC."""
    assert reached(OLD.replace(LAST, "2026-11-30 12:59:59.5+01")).at == "2026-11-30T11:59:59.500000+00:00"


def test_both_sides_of_a_time() -> None:
    """The first that is not there is from after it, or something is missing before it."""
    found = reached(OLD)
    assert oks(looks_at_point(found, Point(time=NOON))) == [True, True]
    late = replace(found, stopped={**found.stopped, "time": "2026-11-30T11:00:00+00:00"})
    assert oks(looks_at_point(late, Point(time=NOON))) == [False, False]
    none = replace(found, at="")
    assert oks(looks_at_point(none, Point(time=NOON))) == [True, True]


def test_the_rows_of_a_heartbeat_say_it_as_well() -> None:
    """The last row before it is there, and none from after it."""
    found, point = reached(OLD), Point(time=NOON)
    beats = Beats(7, "2026-11-30T11:59:59+00:00", 7, 0, 1.0)
    assert oks(looks_at_point(found, point, beats=beats)) == [True] * 4
    assert oks(looks_at_point(found, point, beats=replace(beats, at="2026-11-30T11:59:00+00:00"))) == [
        True, True, False, True,
    ]  # fmt: skip  # one row
    after = replace(beats, at="2026-11-30T12:00:05+00:00", after=5)
    assert oks(looks_at_point(found, point, beats=after)) == [True, True, False, False]


@pytest.mark.parametrize(("line", "point", "other"), [
    ("recovery stopping after commit of transaction 745, time 2026-11-30 12:00:00+00",
     Point(xid="745"), Point(xid="746")),
    ('recovery stopping after WAL location (LSN) "0/3004488"', Point(lsn="0/3004480"), Point(lsn="0/3004489")),
    ('recovery stopping at restore point "noon", time 2026-11-30 12:00:00+00', Point(name="noon"), Point(name="one")),
])  # fmt: skip  # words, the point, and another one
def test_both_sides_of_other_points(line: str, point: Point, other: Point) -> None:
    """It stopped at the very point that was ordered."""
    found = reached(OLD.replace(STOPPED, line))
    assert found.stopped and found.stopped_before == {}
    assert oks(looks_at_point(found, point)) == [True, True]
    assert looks_at_point(found, other)[0].ok is False


def test_an_archive_that_ended_before_it_is_told() -> None:
    """With where it ended."""
    found = reached(f"{AT}LOG:  last completed transaction was at log time {LAST}\n{AT}FATAL:  {ENDED}\n")
    looks = looks_at_point(found, Point(name="noon"), archive_end="000000010000000000000003")
    assert found.ended_early and oks(looks) == [False, False]
    assert "000000010000000000000003" in looks[0].seen and found.at in looks[0].seen


def test_a_log_without_its_words_is_unknown() -> None:
    """Nobody saw it stop, and nobody saw it end."""
    assert oks(looks_at_point(reached(""), Point(time=NOON))) == [None, None]
    assert oks(looks_at_point(reached(""), Point(), archive_end="000000010000000000000003")) == [None]
    assert oks(looks_at_point(reached(OLD), Point())) == [None]


def test_an_archive_that_goes_on_is_told() -> None:
    """The recovery ended in a piece before the last one."""
    found = Reached(lsn="0/3004488")
    assert oks(looks_at_point(found, Point(), archive_end="000000010000000000000003")) == [True]
    assert oks(looks_at_point(found, Point(), archive_end="000000010000000000000004")) == [False]


def test_a_position_has_its_piece() -> None:
    """Also where pieces have another size."""
    assert position("1/0") == 1 << 32
    assert piece("1/3004488") == "0000000100000003" and piece("1/43004488", 1 << 30) == "0000000100000001"
