"""Waivers: what may stand in the file, and how it is said that something may not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from drills import FEATURES, PLAN, WAIVERS
from harness import plan
from harness.errors import Exit, Refused
from harness.schedule import waivers
from tests.made_months import FIRST, QUARTER, made_plan

pytestmark = pytest.mark.usefixtures("as_sealed")

GOOD = """\
waivers:
  - drill: first-drill
    due: 2026-11
    who: Ada
    why: a holiday
    until: 2026-11-05
"""


def load(tmp_path: Path, text: str) -> tuple[waivers.Waiver, ...]:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    return waivers.load(path, made_plan(), FEATURES)[0]


def test_the_file_of_the_project_is_sound() -> None:
    """It can be read with the plan of the project, and so can the example in its comment."""
    the_plan = plan.load(PLAN)
    assert waivers.load(WAIVERS, the_plan, FEATURES) == ((), ())


def test_the_examples_in_the_file_would_hold(tmp_path: Path) -> None:
    """Whoever takes the comment signs away gets a waiver, and a declaration."""
    lines = [line.removeprefix("# ") for line in WAIVERS.read_text().splitlines() if line.startswith("# ")]
    path = tmp_path / "waivers.yaml"
    example = [line for line in lines if line in ("waivers:", "cannot_run:") or line.startswith("  ")]
    path.write_text("\n".join(example))
    waived, declared = waivers.load(path, plan.load(PLAN), FEATURES)
    assert [each.drill for each in waived] == ["database-backup-restoration"]
    assert [(each.drill, each.environment) for each in declared] == [("network-failover", "staging")]


def test_a_waiver_is_of_one_date(tmp_path: Path) -> None:
    """By its month or by the day itself; also of a quarterly drill."""
    (one,) = load(tmp_path, GOOD)
    assert (one.drill, one.month, one.who, one.why, one.until, one.line) == (
        FIRST, "2026-11", "Ada", "a holiday", date(2026, 11, 5), 2)  # fmt: skip  # a list
    (same,) = load(tmp_path, GOOD.replace("due: 2026-11\n", "due: 2026-11-02\n"))
    assert same == one
    (quarter,) = load(
        tmp_path, GOOD.replace(FIRST, QUARTER).replace("2026-11\n", "2026-12\n").replace("11-05", "12-31")
    )
    assert quarter.month == "2026-12"
    assert waivers.load(tmp_path / "there is none", made_plan(), FEATURES) == ((), ())
    assert load(tmp_path, "waivers: []\n") == ()


BAD = [
    (GOOD.replace("first-drill", "furst-drill"), ":2:", "is not a drill of the calendar", "did you mean"),
    (GOOD.replace("first-drill", "xyz"), ":2:", "is not a drill of the calendar", "the calendar has"),
    (GOOD.replace("    who: Ada\n", ""), ":2:", "is missing", 'add "who"'),
    (GOOD.replace("    why: a holiday\n", ""), ":2:", "is missing", 'add "why"'),
    (GOOD.replace("    until: 2026-11-05\n", ""), ":2:", "is missing", 'add "until"'),
    (GOOD.replace("who: Ada", "who: ' '"), ":4:", "is empty", "write something"),
    (GOOD.replace("why: a holiday", "why:"), ":5:", "is empty", "waivers.yaml"),
    (GOOD.replace("until: 2026-11-05", "until: soon"), ":6:", '"soon"', "write a day"),
    (GOOD.replace("until: 2026-11-05", "until: 2026-11"), ":6:", "is a month, not a day", "write a day"),
    (GOOD.replace("until: 2026-11-05", "until: 2026-11-31"), ":6:", "not in any calendar", "write a day"),
    (GOOD.replace("until: 2026-11-05", "until: 2026-11-01"), ":6:", "before the date that it waives", "last day"),
    (GOOD.replace("due: 2026-11", "due: 2026-13"), ":3:", "not in any calendar", "write a month"),
    (GOOD.replace("due: 2026-11", "due: 2026-11-03"), ":3:", "has no date in 2026-11-03", "2026-12"),
    (GOOD + GOOD.removeprefix("waivers:\n"), ":7:", "is waived already, on line 2", "keep one"),
    (GOOD + "    whom: Bob\n", ":7:", "is not a field of a file of waivers", 'did you mean "who"?'),
    (GOOD.replace("waivers:", "waiver:"), ":1:", "is not a field", "did you mean"),
    ("- a\n", ":1:", "is a list", "waivers.yaml"),
    ("waivers: &a []\n", ":1:", "anchor", "write the value out"),
    ("", "", "is empty", "restore"),
]


@pytest.mark.parametrize(("text", "line", "what", "hint"), BAD, ids=[f"{at}" for at in range(len(BAD))])
def test_a_bad_file_is_refused(tmp_path: Path, text: str, line: str, what: str, hint: str) -> None:
    """One error with the line, what is wrong and what to do; nothing is waived then."""
    with pytest.raises(Refused) as refused:
        load(tmp_path, text)
    assert f"waivers.yaml{line}" in refused.value.message
    assert what in refused.value.message
    assert hint in refused.value.hint
    assert refused.value.exit is Exit.REFUSED


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    """Two wrong waivers are two lines of one error."""
    text = GOOD.replace("first-drill", "no-drill") + GOOD.removeprefix("waivers:\n").replace("11-05", "10-05")
    with pytest.raises(Refused, match=r"no-drill.*\n.*2026-10-05 lies before"):
        load(tmp_path, text)
