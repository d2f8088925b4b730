"""How a restore beside is judged: one finding for each database, and each of them can be red."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks import NOT_EXERCISED, Outcome, load, merge
from harness.checks.again import judge_again
from harness.checks.judge import judge
from harness.checks.restored import TITLES
from harness.checks.rules import CURRENT, TABLE
from tests.histories import NAME, History
from tests.made_restores import ORDERS, USERS, change, evidence, finding, looks, sound, without

MET, MISSED, UNKNOWN = Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN
KINDS = ("catalogue", "inventory", "place", "part", "reached", "look", "heartbeat", "end")


def test_a_sound_restore_is_met_and_nobody_was_served() -> None:
    """All that counts is MET; recovery time stays UNKNOWN, and stands beside."""
    found = judge(evidence(sound()))
    assert {each.outcome for each in found if not each.advisory} == {MET}
    (served,) = (each for each in found if each.id == "recovery-time")
    assert (served.outcome, served.advisory) == (UNKNOWN, True) and "nobody was served" in served.reason
    assert {each.id for each in found} == {*TITLES, "scenario", "recovery-time"} - {"point-in-time"}


def test_a_platform_that_was_looked_at_has_to_be_steady() -> None:
    """Where nobody looked there may be none: a stack file of backups alone."""
    history = sound()
    history.say(1.0, "steady", moment="before", ok=True, conditions=[{"name": "all", "ok": True, "seen": "well"}])
    found = {each.id: each.outcome for each in judge(evidence(history))}
    assert (found["steady"], found["recovery-time"]) == (MET, UNKNOWN) and "decision" not in found
    history.say(1.1, "fault.intent", fault="x", settings={}, undo={}, harms_data=False, logical=False, affects=[])
    assert {"steady", "decision", "recovery-time"} <= {each.id for each in judge(evidence(history))}


def test_each_database_has_a_finding_of_its_own() -> None:
    """One that fails is no other's: the name is in the title, in the reason and beside."""
    history = change(sound(ORDERS, USERS), "end", USERS, outcome="failed", why="a file is not there")
    found = [each for each in judge(evidence(history)) if each.id == "restore-time"]
    assert [each.outcome for each in found] == [MET, MISSED]
    assert [each.title for each in found] == [f"{TITLES['restore-time']}: {name}" for name in (ORDERS, USERS)]
    assert found[1].reason == "it could not be restored: a file is not there"
    assert [dict(each.beside)["database"] for each in found] == [ORDERS, USERS]
    assert len({(each.id, each.title) for each in judge(evidence(history))}) == len(judge(evidence(history)))


@pytest.mark.parametrize("id", TITLES)
def test_where_no_restore_was_asked_for_there_is_one_finding(id: str) -> None:
    """It is UNKNOWN: nothing was restored. Older rules know of none."""
    history = History()
    history.say(0.0, "scenario.begin", scenario=NAME)
    history.expect(id, 60.0)
    history.say(9.0, "scenario.end", scenario=NAME, outcome="completed", error="")
    (found,) = (each for each in judge(evidence(history)) if each.id == id)
    assert (found.outcome, found.reason, found.title) == (UNKNOWN, "no restore was asked for", TITLES[id])
    assert next(each for each in judge(evidence(history), TABLE["7"]) if each.id == id).outcome is UNKNOWN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("point", ["", "before-the-mistake"])
def test_what_was_not_recorded_is_never_green(kind: str, point: str) -> None:
    """Whichever kind of line is left out, the verdict is not MET, and no other database's finding changes."""
    history = sound(ORDERS, USERS, point=point)
    before = {each.title: each for each in judge(evidence(history)) if ("database", USERS) in each.beside}
    found = judge(evidence(without(history, kind, lambda data: data.get("database") == ORDERS)))
    if kind != "heartbeat":  # then catalogue and archive say it
        assert merge(found) is not MET
    assert {each.title: each for each in found if ("database", USERS) in each.beside} == before


@given(left=st.sets(st.integers(0, 40)), spoilt=st.booleans())
def test_no_damage_of_the_journal_is_an_error_or_turns_a_failure_green(left: set[int], *, spoilt: bool) -> None:
    """Any lines left out of a restore that failed: its time is never MET, and nothing raises."""
    history = change(sound(), "end", outcome="failed", why="broken")
    ours = [line for line in history.lines if line[1].startswith("restore.")]
    for place, line in enumerate(ours):
        if place in left:
            history.lines.remove(line)
        elif spoilt and line[1] not in ("restore.asked", "restore.end"):
            line[2].update(dict.fromkeys((name for name in line[2] if name not in ("database", "moment")), None))
    for each in judge(evidence(history)):
        assert not (each.id == "restore-time" and each.outcome is MET)
        if spoilt and each.id in TITLES and each.id != "place-removed":
            assert each.outcome is not MET


@given(name=st.sampled_from(KINDS), value=st.sampled_from([None, [], {}, "x", -1, float("nan"), True, {"a": [1]}]))
def test_a_line_of_another_form_is_never_an_error(name: str, value: Any) -> None:
    """Every field of a kind of line as something else: UNKNOWN, or what is judged from the others."""
    history = sound()
    for _, kind, data in history.lines:
        if kind == f"restore.{name}":
            data.update(dict.fromkeys((key for key in data if key not in ("database", "moment")), value))
    assert merge(judge(evidence(history))) is not MET


def test_a_database_that_was_asked_for_twice_is_not_judged() -> None:
    """Nobody could say which restore is meant."""
    history = sound()
    history.say(3.5, "restore.asked", databases=[ORDERS], which="newest", named="", point="", at_once=1, within=9.0)
    assert {each.outcome for each in judge(evidence(history)) if each.id in TITLES} == {UNKNOWN}
    history = sound()
    history.say(69.0, "restore.end", database=ORDERS, outcome="restored", why="", seconds=1.0, removed=True, left="")
    assert finding(history, "restore-time").outcome is UNKNOWN
    assert "2 times" in finding(history, "restore-time").reason


def test_a_restore_that_was_not_exercised_says_nothing() -> None:
    """Why stands with each, and nothing is MET but that nothing was changed."""
    history = without(without(sound(), "look"), "part")
    for kind in ("place", "reached", "heartbeat"):
        history = without(history, kind)
    change(history, "end", outcome=NOT_EXERCISED, why="no PostgreSQL 15 is here", seconds=0.0, size=0)
    found = [each for each in judge(evidence(history)) if each.id in TITLES]
    assert {each.outcome for each in found} == {UNKNOWN}
    assert all("not exercised: no PostgreSQL 15 is here" in each.reason for each in found)


def test_why_a_restore_failed_is_told_once() -> None:
    """By the finding about its time; where that is not asked for, by each that it leaves open."""
    history = without(change(sound(), "end", outcome="failed", why="no space is left"), "look")
    reasons = [each.reason for each in judge(evidence(history)) if each.outcome is UNKNOWN and not each.advisory]
    assert len(reasons) > 4 and not any("no space is left" in each for each in reasons)
    history.drop("expect", where=lambda data: data["finding"] == "restore-time")
    reasons = [each.reason for each in judge(evidence(history)) if each.outcome is not MET and not each.advisory]
    assert len(reasons) > 4 and all("no space is left" in each for each in reasons)


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda history: change(history, "end", seconds=600.1), UNKNOWN),  # longer than passed
        (lambda history: change(history, "end", seconds=30.0), UNKNOWN),  # shorter than its parts
        (lambda history: change(history, "end", seconds=-1.0), UNKNOWN),
        (lambda history: change(history, "end", outcome="done"), UNKNOWN),
        (lambda history: change(history, "end", outcome="failed", why="no space"), MISSED),
        (lambda history: change(history, "end", outcome="cut short", why="the time is over"), UNKNOWN),
        (lambda history: without(history, "end"), UNKNOWN),
        (lambda history: change(history, "part", part="tea"), UNKNOWN),
        (lambda history: history, MET),
    ],
)
def test_a_restore_time_is_of_a_restore_that_came_to_its_end(
    spoil: Callable[[History], History], outcome: Outcome
) -> None:
    """A failed one is MISSED; what contradicts itself, or was cut short in time, is UNKNOWN."""
    assert finding(spoil(sound()), "restore-time").outcome is outcome


def test_a_restore_time_is_held_against_its_limit() -> None:
    """With its parts, and with what a projection needs beside it; also of one that was cut short after the limit."""
    found = finding(sound(), "restore-time")
    assert (found.figure, found.low, found.high, found.objective) == (60.0, 60.0, 60.0, 600.0)
    assert dict(found.parts) == {"fetch": 20.0, "restore": 15.0, "replay": 15.0, "verify": 10.0}
    beside = dict(found.beside)
    assert (beside["bytes restored"], beside["bytes fetched"]) == ("5000000000", "1800000000")
    assert beside["bytes a second, verifying left out"] == "100000000"
    for limit, cut in ((59.0, MISSED), (61.0, UNKNOWN)):
        history = limited(sound(), "restore-time", limit)
        assert finding(history, "restore-time").outcome is (MISSED if limit < 60 else MET)
        change(history, "end", outcome="cut short", why="the time is over")
        found = finding(history, "restore-time")
        assert (found.outcome, found.lower_bound, found.low) == (cut, True, 60.0)


def test_a_run_that_was_stopped_has_taken_so_long_at_least() -> None:
    """Since the first part began, by its own length; MISSED only where the limit had passed by then."""
    for limit, outcome in ((60.0, UNKNOWN), (30.0, MISSED)):
        history = without(limited(sound(), "restore-time", limit), "end")
        history.cut(45.0)
        history.say(46.0, "stopped", who="somebody", why="enough")
        history.say(46.5, "scenario.end", scenario=NAME, outcome="stopped", error="")
        found = finding(history, "restore-time")
        assert (found.outcome, found.lower_bound) == (outcome, True)
        assert found.low == pytest.approx(46 - 5, abs=0.1) and "enough" in found.reason


def test_without_a_limit_it_is_judged_whether_it_could_be_done() -> None:
    """No figure is too long then."""
    assert finding(limited(sound(), "restore-time", None), "restore-time").outcome is MET
    history = change(limited(sound(), "restore-time", None), "end", outcome="failed", why="broken")
    assert finding(history, "restore-time").outcome is MISSED


def limited(history: History, id: str, limit: float | None) -> History:
    for _, kind, data in history.lines:
        if kind == "expect" and data["finding"] == id:
            data["limit"] = limit
    return history


def test_an_expectation_may_name_its_database() -> None:
    """Then it is asked of that one, with a limit of its own."""
    history = sound(ORDERS, USERS)
    history.drop("expect", where=lambda data: data["finding"] == "restore-time")
    history.expect("restore-time", 10.0, database=USERS)
    history.expect("restore-time", 100.0, database=ORDERS)
    found = {dict(each.beside)["database"]: each for each in judge(evidence(history)) if each.id == "restore-time"}
    assert {name: each.outcome for name, each in found.items()} == {USERS: MISSED, ORDERS: MET}


@pytest.mark.parametrize(
    ("id", "about"),
    [("restore-complete", "log"), ("pages-sound", "pages"), ("structure-sound", "structure"), ("rows-proved", "rows")],
)
def test_a_look_that_found_something_is_missed_and_one_that_saw_nothing_unknown(id: str, about: str) -> None:
    """And one that is left out: each kind has its own names."""
    assert finding(sound(), id).outcome is MET
    found = finding(looks(sound(), about, ok=False, seen="3 are wrong"), id)
    assert found.outcome is MISSED and "3 are wrong" in found.reason
    assert finding(looks(sound(), about, ok=None, seen="nobody could look"), id).outcome is UNKNOWN
    assert finding(looks(sound(), about, ok="yes"), id).outcome is UNKNOWN
    names = [data["name"] for _, kind, data in sound().lines if kind == "restore.look" and data["about"] == about]
    for name in names:
        history = sound()
        history.lines = [line for line in history.lines if line[2].get("name") != name]
        assert finding(history, id).outcome is UNKNOWN
    history = change(sound(), "end", outcome="failed", why="it ended in the middle")
    assert finding(history, id).outcome is (MISSED if about == "log" else UNKNOWN)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"expected": ""}, UNKNOWN),
        ({"seen": "10"}, MISSED),
        ({"seen": "4.9999999999999999999"}, MISSED),
        ({"seen": "5", "figure": None}, MET),
        ({"expected": "exactly 7"}, MET),
        ({"expected": "exactly 8"}, MISSED),
        ({"expected": "at least 9", "seen": "as it has to be"}, MET),  # of a book: its figure is what is wrong
    ],
)
def test_rows_are_proved_by_what_was_expected_of_them(said: dict[str, Any], outcome: Outcome) -> None:
    """A question that expects nothing proves nothing, and what was seen is held against its own words."""
    assert finding(looks(sound(), "rows", **said), "rows-proved").outcome is outcome


@pytest.mark.parametrize(("ok", "seen"), [(True, "10"), (True, "5"), (False, "10")])
def test_what_was_expected_of_rows_stands_beside_what_was_seen(ok: bool, seen: str) -> None:
    """Right or wrong: a number alone says nothing to whoever did not write the check."""
    history = looks(sound(), "rows", ok=ok, seen=seen, expected="exactly 5")
    assert f": {seen} (expected: exactly 5)" in finding(history, "rows-proved").reason


def test_each_database_of_a_server_has_to_be_looked_at() -> None:
    """As many as there are: one that was left out is no proof."""
    history = sound()
    for _, kind, data in history.lines:
        if kind == "restore.look" and data["name"] == "databases":
            data["figure"] = 2.0
    for id in ("pages-sound", "structure-sound"):
        found = finding(history, id)
        assert found.outcome is UNKNOWN and "left out" in found.reason
    more = [(at, kind, {**data, "name": data["name"].replace("app", "shop")}) for at, kind, data in history.lines
            if kind == "restore.look" and "app" in data["name"]]  # fmt: skip  # a comprehension
    history.lines += more
    assert {finding(history, id).outcome for id in ("pages-sound", "structure-sound")} == {MET}


def test_without_checksums_the_pages_are_unknown() -> None:
    """Whatever else was looked at."""
    history = sound()
    for _, kind, data in history.lines:
        if kind == "restore.look" and data["name"].startswith("the checksum"):
            data |= {"ok": None, "seen": "checksums are off"}
    found = finding(history, "pages-sound")
    assert found.outcome is UNKNOWN and "checksums are off" in found.reason


def test_a_pack_of_several_databases_is_judged_again_and_tells_which_differs(tmp_path: Path) -> None:
    """By title, where several findings have one id."""
    history = sound(ORDERS, USERS)
    pack = history.write(tmp_path / "pack", nonce="x", nonce_by="auditor", rules=CURRENT.version)
    found = load.judged(pack)
    content = load.findings_json(found)
    (pack / "findings.json").write_bytes(content)
    assert judge_again(pack).outcome is MET
    spoilt = json.loads(content)
    theirs = next(each for each in spoilt["findings"] if each["title"].endswith(USERS) and each["id"] == "pages-sound")
    theirs["outcome"] = "MISSED"
    (pack / "findings.json").write_text(json.dumps(spoilt, indent=1) + "\n")
    assert "pages-sound of the-scenario (users): sealed MISSED, judged again MET" in str(judge_again(pack))
