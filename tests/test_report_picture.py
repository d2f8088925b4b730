"""The picture and the banners say what the findings say: the looks that count, names that are whole, what is hurt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.checks import Finding, Outcome
from reports import svg, verdicts
from reports.pack import Fact, Facts, Pack, Scenario
from reports.run import page, panels
from reports.run.customers import Answered
from reports.run.limits import size_of
from reports.run.moments import Clock, Tick, moments
from reports.run.picture import _marks, _new_marks
from reports.run.sheet import Sheet
from reports.run.timeline import AXIS, Bar, Picture, draw

SECOND = 1_000_000_000
Said = tuple[float, str, dict[str, Any]]
HURT: list[Said] = [(0.0, "fault.intent", {"fault": "f"}), (0.1, "fault.effective", {"fault": "f", "ok": True})]


def facts(*said: Said) -> Facts:
    return Facts(tuple(Fact(at, None, int(said[at][0] * SECOND), said[at][1], said[at][2]) for at in range(len(said))))


def marks(*said: Said) -> list[str]:
    return [mark.name for mark in _marks(facts(*HURT, *said), Clock(0))]


def test_marks_stand_where_the_findings_count() -> None:
    """At the first who noticed the damage, and at the first proof after which none was bad; not at the last ones."""
    seen: list[Said] = [(0.05, "detected", {}), (0.4, "detected", {}), (0.5, "detected", {})]
    proved: list[Said] = [(at, "verified", {"ok": ok}) for at, ok in ((2.0, False), (3.0, True), (22.0, True))]
    assert marks(*seen, *proved)[2:] == ["noticed +0.40 s", "data verified +3.00 s"]
    assert marks(*proved, (23.0, "verified", {"ok": False}))[-1] == "verification FAILED +23.0 s"
    assert marks((0.05, "detected", {}))[2:] == []


@pytest.mark.parametrize(("width", "whole"), [(900.0, True), (620.0, False)])
def test_the_gutter_has_room_for_the_names(width: float, whole: bool) -> None:
    """A name is cut off only where it would take more than a third of the picture."""
    name = "rebuild-each-damaged-server-" + "x" * 10
    sheet = Sheet(0, 10, width, {name, "short"})
    sheet.row(name, "1 s", 300, 310)
    assert (f">{name}</text>" in sheet.front[0]) is whole
    assert Sheet(0, 10, width).left == 190.0


def test_each_bar_has_its_own_label_in_it_or_behind_it_or_none() -> None:
    """And none lies across the end of a bar, or on that of another."""
    sheet = Sheet(0, 100, 900)
    told = [
        Answered("a", False, history, begin, end, 9) for history, begin, end in ((2, 0, 25), (3, 55, 57), (4, 70, 71))
    ]
    told += [Answered("b", False, 5, 98, 100, 9)]
    panels.answers(sheet, told, history="timeline")
    drawn = "".join(sheet.front)
    middle, behind = svg.n((sheet.x(0) + sheet.x(25)) / 2), svg.n(sheet.x(57) + 5)
    assert f'<text x="{middle}" y="47" class="t in" text-anchor="middle">timeline 2<' in drawn
    assert f'<text x="{behind}" y="47" class="t">timeline 3<' in drawn
    assert drawn.count(">timeline 5<") == 1 and drawn.count(">timeline 2<") == 2  # once in the legend


def test_a_fifth_history_begins_the_colours_anew_and_the_legend_says_so() -> None:
    """One colour has one entry."""
    sheet = Sheet(0, 100, 900)
    panels.answers(sheet, [Answered("a", False, at, at * 10, at * 10 + 5, 9) for at in range(2, 7)], history="timeline")
    assert ">timeline 2, 6<" in "".join(sheet.front)


def test_what_fits_nowhere_beside_a_bar_stands_above_it() -> None:
    """Whole, and not on the bar."""
    sheet = Sheet(0, 100, 900)
    words = "a long story that no bar has room for, told in full nevertheless, to its end"
    top = sheet.y
    sheet.row("detect", words, sheet.x(30), sheet.x(40))
    assert sheet.y > top and any(words in each for each in sheet.front)


@pytest.mark.parametrize(
    ("right", "nameable", "said"),
    [
        (1, True, ": 2 firing, 1 of them names what was hurt"),
        (0, True, "2 firing, 0 of them name what was hurt"),
        (0, False, "2 firing, and none of them can see this fault"),
    ],
)
def test_alerts_are_counted_against_what_they_could_name(right: int, nameable: bool, said: str) -> None:
    """Of a fault that no request shows none can tell; what comes then tells of what was done about it."""
    sheet = Sheet(0, 10, 900)
    panels.alerts(sheet, [Tick(1, "x", right > 0), Tick(2, "y", False)], nameable=nameable)
    assert any(said in each for each in sheet.front)


@pytest.mark.parametrize(("ok", "said"), [(True, "heal healed and sealed"), (False, "heal did NOT heal rows, and sea")])
def test_the_banner_of_a_killed_run_says_what_was_not_healed(ok: bool, said: str, tmp_path: Path) -> None:
    """By the last that was said of each fault."""
    told = facts(
        (0, "scenario.begin", {"scenario": "one"}),
        (1, "fault.healed", {"injection": 1, "fault": "rows", "ok": not ok}),
        (2, "fault.healed", {"injection": 1, "fault": "rows", "ok": ok}),
        (3, "fault.healed", {"injection": [2], "fault": "page", "ok": True}),
        (4, "run.end", {"outcome": "killed", "by": "drdrill heal"}),
    )
    pack = Pack(tmp_path, {}, told, (), Outcome.UNKNOWN, "5", ())
    assert any(said in banner for banner in page._banners(pack))


def test_what_took_effect_stands_where_it_did_and_not_where_its_proof_was_there() -> None:
    """And whoever heals what a sentence had ended before says that nothing of it was left."""
    said = facts(
        (0.0, "fault.intent", {"fault": "f", "injection": 1}),
        (3.2, "fault.effective", {"fault": "f", "injection": 1, "ok": True, "earliest": 0, "latest": SECOND // 5}),
        (47.0, "fault.left", {"fault": "f", "injection": 1, "ok": True, "after": "it goes on"}),
        (102.0, "fault.healed", {"fault": "f", "injection": 1, "ok": True, "by": "harness"}),
    )
    scenario = Scenario("s", "S", said, (), Outcome.UNKNOWN, (), {"history": "timeline"})
    told = [(each.at, each.words) for each in moments(scenario, Clock(0))]
    assert told[1] == (0.2, "f took effect")
    assert told[2:] == [
        (47.0, "it goes on: f is over, nothing of it is left"),
        (102.0, "f is healed by harness: nothing of it was left"),
    ]


def test_the_fence_the_promotion_and_what_is_planned_are_marked() -> None:
    """On the clock of the order; a step that failed turned nothing."""
    said: list[Said] = [
        (16.5, "step.end", {"name": "fence-the-lost-region", "ok": True}),
        (17.5, "step.end", {"name": "promote-the-second-region", "ok": True}),
        (19.0, "step.end", {"name": "switch-the-names", "ok": True}),
        (35.0, "planned.begin", {"what": "back"}),
        (39.0, "step.end", {"name": "promote-the-first-region", "ok": False}),
    ]
    scenario = Scenario("s", "S", facts(*HURT, *said), (), Outcome.UNKNOWN, (), {"history": "timeline"})
    assert [mark.name for mark in _new_marks(scenario, Clock(0), (), ())] == [
        "lost region fenced +16.5 s", "second region seen to lead +17.5 s", "names switched +19.0 s",
        "planned interruption +35.0 s",
    ]  # fmt: skip  # a list


def test_findings_of_one_title_are_told_apart_by_their_objectives() -> None:
    """Else the same words stand there twice."""
    within = (("reach", "within what this run could see"),)
    found = [
        Finding("rto", "s", "Recovery time", Outcome.MET, "r", objective=goal, beside=within)
        for goal in (14400.0, 3600.0)
    ]
    scenario = Scenario("s", "S", facts(*HURT), tuple(found), Outcome.MET, (), {"history": "timeline"})
    assert verdicts.beside(scenario)[0].endswith(": Recovery time (objective 4 h), Recovery time (objective 1 h)")


def test_a_scenario_that_restored_nothing_does_not_say_that_anything_was_restored(tmp_path: Path) -> None:
    """What each figure carries is of its scenario; that of the run says of how many it is."""
    restored = facts((1.0, "recovery.reached", {"bytes": 50_000_000}))
    pair = [
        Scenario(name, name, told, (), Outcome.MET, (), {"history": "timeline"})
        for name, told in (("one", restored), ("two", facts(*HURT)))
    ]
    pack = Pack(tmp_path, {}, restored, tuple(pair), Outcome.MET, "7", ())
    assert [size_of(pack, each) for each in pair] == ["50 MB restored", "size not recorded"]
    assert size_of(pack) == "50 MB restored in 1 of 2 scenarios"


def test_what_is_too_tall_for_a_page_is_broken_at_headings_for_paper() -> None:
    """Each piece has the axis of time; together they are the whole, and a screen shows none of them."""
    steps = tuple(Bar(f"step-{at}", at, at + 1.0, "step") for at in range(90))
    picture = Picture("t", "d", "n", 0.0, 100.0, (), steps[:30], steps, None, ("the team", ""), None)
    drawn = draw(picture, width=900, key="k")
    pieces = re.findall(r'viewBox="0 ([\d.]+) 900 ([\d.]+)" class="timeline page"', drawn)
    assert 'class="timeline wide tall"' in drawn and len(pieces) == 2 and drawn.count('"#k-axis"') == 1
    assert float(pieces[0][1]) - AXIS == float(pieces[1][0])
    assert "page" not in draw(picture, width=400, key="k")
    small = draw(
        Picture("t", "d", "n", 0.0, 100.0, (), steps[:9], (), None, ("the team", ""), None), width=900, key="k"
    )
    assert "<use" not in small and 'class="timeline wide"' in small
