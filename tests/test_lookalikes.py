"""A character that nobody sees is named wherever a text that looks right is not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills import PLAN
from harness import plan
from harness.errors import Refused
from harness.features import catalog, soundness
from harness.features.catalog import Drill, Scenario, Sentence
from harness.features.sentences import Sentences
from harness.schedule import waivers
from harness.system.lookalikes import RETYPE, unseen
from tests.made_months import made_plan

pytestmark = pytest.mark.usefixtures("as_sealed")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("15\u2009min", 'U+2009 THIN SPACE after "15"'),
        ("demand\u200b", 'U+200B ZERO WIDTH SPACE after "demand"'),
        ("\u2060TST-M1", "U+2060 WORD JOINER at the beginning"),
        ("30 \u0455", 'U+0455 CYRILLIC SMALL LETTER DZE, which looks like s, after "30"'),
        ("2026\u201311", 'U+2013 EN DASH, which looks like -, after "2026"'),
        ("\uff12 days", "U+FF12 FULLWIDTH DIGIT TWO, which looks like 2, at the beginning"),
        ("a \u200e\u200eb", 'U+200E LEFT-TO-RIGHT MARK after "a"; U+200E LEFT-TO-RIGHT MARK after "a"'),
        ("\x00", "U+0000 which has no name at the beginning"),
        ("\u3164", "U+3164 HANGUL FILLER at the beginning"),
    ],
)
def test_what_looks_right_and_is_not_is_named(text: str, said: str) -> None:
    """By its number, its name, and what stands before it."""
    assert unseen(text) == said


@pytest.mark.parametrize(
    "text",
    ["", "4 h", "a\tb\r\n", "Übung für alle", "15 µs", "データベースの復旧", "Восстановление базы", "Ανάκτηση", "✗ 😀"],
)
def test_what_is_what_it_looks_like_is_not(text: str) -> None:
    """Letters with marks, and whole texts of another script."""
    assert unseen(text) == ""


def test_a_flood_of_them_is_counted() -> None:
    """And takes no time."""
    assert unseen("x" + "\u200b" * 300_000).endswith("; and 299997 more")


@pytest.mark.parametrize(
    ("old", "new", "place", "name"),
    [
        ("rpo: 15 min", "rpo: 15\u202fmin", "objectives.production.rpo", "U+202F NARROW NO-BREAK SPACE"),
        ("mtd: 8 h", "mtd: 8 \u04bb", "objectives.production.mtd", "U+04BB CYRILLIC SMALL LETTER SHHA"),
        ("  mtd: 8 h", "  mtd\u00ad: 8 h", "objectives.production.mtd", "U+00AD SOFT HYPHEN"),
        ("time_zone: UTC", "\ufefftime_zone: UTC", "", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("time_zone: UTC", "time_zone: \u200bUTC", "time_zone", "U+200B ZERO WIDTH SPACE"),
        ("demand: TST-M2", "demand: TST\u2011M2", "demand", "U+2011 NON-BREAKING HYPHEN"),
        ("  next_review:", "\u00a0\u00a0next_review:", "", "U+00A0 NO-BREAK SPACE"),
    ],
)
def test_a_plan_names_it_with_its_line(tmp_path: Path, old: str, new: str, place: str, name: str) -> None:
    """In a value, in the name of a field, and where it keeps the file from being YAML."""
    text = PLAN.read_text(encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused) as caught:
        plan.load(path)
    line = text[: text.index(old)].count("\n") + 1
    (said,) = (one for one in caught.value.message.splitlines() if name in one)
    assert said.startswith(f"{path}:{line}: ") or f"on line {line} there is" in said
    assert place in said.replace("\u00ad", "")


def test_a_request_does_not_hide_one() -> None:
    """Nobody would find out why its host is not known."""
    with pytest.raises(ValueError, match="is not a request"):
        plan.plan_shape.request("GET https://api\u200b.example.test/health")


def test_a_tier_that_is_named_with_one_is_told_from_the_other(tmp_path: Path) -> None:
    """Both look the same in the error."""
    path = tmp_path / "plan.yaml"
    text = PLAN.read_text(encoding="utf-8")
    path.write_text(text.replace("  critical financial data:", "  critical financial\u00a0data:", 1), encoding="utf-8")
    with pytest.raises(Refused, match="NO-BREAK SPACE"):
        plan.load(path).objective("critical financial data")


def test_waivers_name_it(tmp_path: Path) -> None:
    """A drill that looks like one of the calendar, a day that looks like one."""
    path = tmp_path / "waivers.yaml"
    for drill, due, name in (("first\u2010drill", "2026-11", "HYPHEN"), ("first-drill", "2026\u221211", "MINUS SIGN")):
        path.write_text(
            f"waivers:\n  - drill: {drill}\n    due: {due}\n    who: Ada\n    why: x\n    until: 2026-11-05\n"
        )
        with pytest.raises(Refused, match=name) as caught:
            waivers.load(path, made_plan(), tmp_path)
        assert RETYPE in caught.value.hint


def test_a_sentence_names_it() -> None:
    """One that no step is written for; a sentence of which that is not the reason has the usual hint."""
    sentence, other = "an operator\u2019s mistake", "nothing like it"

    def refused(*unknown: str) -> Refused:
        sentences = tuple(Sentence("When", text, "when", background=False) for text in unknown)
        scenario = Scenario("x", "X", (), sentences, line=1)
        with pytest.raises(Refused) as caught:
            soundness.must_be_understood([Drill("d", "monthly", "D", Path("d.feature"), (scenario,))], Sentences())
        return caught.value

    assert f"{sentence} (there is U+2019 RIGHT SINGLE" in refused(sentence, other).message
    assert RETYPE in refused(sentence, other).hint and RETYPE not in refused(other).hint


def test_a_feature_that_cannot_be_read_names_it(tmp_path: Path) -> None:
    """A keyword with a space that is none."""
    path = tmp_path / "monthly" / "x.feature"
    path.parent.mkdir()
    path.write_text("Feature: X\n  Scenario: Y\n    Given a stack\n    When\u00a0it is cut\n")
    with pytest.raises(Refused, match="NO-BREAK SPACE") as caught:
        catalog.drills(tmp_path)
    assert f"{path}:4:" in caught.value.message


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "/etc/localtime"])
def test_a_time_zone_that_differs_between_machines_is_refused(tmp_path: Path, zone: str) -> None:
    """Days of the calendar would."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.read_text(encoding="utf-8").replace("time_zone: UTC", f"time_zone: {zone}"), encoding="utf-8")
    with pytest.raises(Refused, match=f'time_zone: "{zone}" is') as caught:
        plan.load(path)
    assert "Europe/Berlin" in caught.value.hint
