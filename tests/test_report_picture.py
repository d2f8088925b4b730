"""The picture and the banners say what the findings say: the looks that count, names that are whole, what is hurt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.checks import Outcome
from reports import svg
from reports.pack import Fact, Facts, Pack
from reports.run import page, panels
from reports.run.customers import Answered
from reports.run.moments import Clock, Tick
from reports.run.picture import _marks
from reports.run.sheet import FONT, Sheet

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
    assert marks(*seen, *proved)[2:] == ["noticed 0.40 s", "data verified 3.00 s"]
    assert marks(*proved, (23.0, "verified", {"ok": False}))[-1] == "verification FAILED 23.0 s"
    assert marks((0.05, "detected", {}))[2:] == []


@pytest.mark.parametrize(("width", "whole"), [(900.0, True), (620.0, False)])
def test_the_gutter_has_room_for_the_names(width: float, whole: bool) -> None:
    """A name is cut off only where it would take more than a third of the picture."""
    name = "rebuild-each-damaged-server-" + "x" * 10
    sheet = Sheet(0, 10, width, {name, "short"})
    sheet.row(name, "1 s", 300, 310)
    assert (f">{name}</text>" in sheet.front[0]) is whole
    assert Sheet(0, 10, width).left == 190.0


def test_what_a_row_is_called_lies_in_one_bar() -> None:
    """And not across the end of one, where both bars together fill the picture."""
    sheet = Sheet(0, 100, 900)
    panels.answers(sheet, [Answered("a", False, 2, 0, 25, 9), Answered("a", False, 3, 55, 100, 9)], history="timeline")
    (words,) = [each for each in sheet.front if ">timeline 2, then 3<" in each]
    assert svg.n(sheet.right - 5) in words and svg.text_width("timeline 2, then 3", FONT) < sheet.x(100) - sheet.x(55)


@pytest.mark.parametrize(
    ("right", "nameable", "said"),
    [
        (1, True, "2 firing, 1 of them names what was hurt"),
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
