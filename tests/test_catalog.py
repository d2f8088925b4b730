"""What the features say, read by a parser that sees all of it; and what cannot be told apart, or would not be run."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from drills import FEATURES
from harness import plan
from harness.cli import drdrill
from harness.errors import Refused
from harness.evidence.verify import is_safe
from harness.features import catalog
from harness.features.catalog import name_of
from harness.project import Project
from tests.this_project import PROJECT

PLAN = plan.load(FEATURES.parent / "drills" / "plan.yaml")
GERMAN = """\
# language: de
@monthly
Funktionalität: Übung

  Grundlage:
    Angenommen the platform serves customers, replicates and archives

  Szenariogrundriss: Die Leitung ist <wie>
    Wenn the link of the leader's zone is <wie>
    Aber nobody notices
    Dann nothing that was acknowledged is lost

    @INF-5
    Beispiele: einfach
      | wie  |
      | slow |

    Beispiele: schwer
      | wie  |
      | weg  |

  @OBJ-2
  Regel: Ohne Menschen

    Grundlage:
      Angenommen customers write

    @INF-1
    Szenario: Ein Server fällt aus
      Wenn the API server of one zone is killed
"""


def tree(folder: Path, **features: str) -> Path:
    """A folder of monthly features, by the names of their files."""
    (folder / "monthly").mkdir(parents=True, exist_ok=True)
    for name, text in features.items():
        (folder / "monthly" / f"{name}.feature").write_text(text, encoding="utf-8")
    return folder


def feature(*scenarios: str, head: str = "Feature: Fire drill") -> str:
    """One that has these scenarios; the first begins in line 2."""
    return "\n".join([head, *scenarios]) + "\n"


def plain(title: str) -> str:
    return f"Scenario: {title}\nGiven customers write"


def refused(folder: Path) -> Refused:
    with pytest.raises(Refused) as error:
        catalog.announced(folder)
    assert error.value.hint
    return error.value


# Names


def test_the_names_of_plain_titles_stay_what_they_were() -> None:
    """History compares by them: a title in ASCII, or with other punctuation only, has the name that it always had."""
    titles = [scenario.title for drill in catalog.drills(FEATURES) for scenario in drill.scenarios]
    titles += ["10 s of 50 % loss", "It's over -- is it?", "A “quoted” word — and a dash…", "Fire → water", "A™"]
    for title in titles:
        assert name_of(title) == re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "")).strip("-")


@pytest.mark.parametrize(
    ("title", "begins"),
    [
        ("Отказ сервера", "scenario-"),
        ("サーバーが止まる", "scenario-"),
        ("خادم", "scenario-"),
        ("???", "scenario-"),
        ("🔥", "scenario-"),
        ("Málaga brennt", "malaga-brennt-"),
        ("Große Straße", "grosse-strasse-"),
        ("API 停止", "api-"),
    ],
)
def test_a_title_that_loses_letters_has_a_name_all_the_same(title: str, begins: str) -> None:
    """In ASCII, never empty, and with eight digits that keep it apart from what else becomes the same letters."""
    assert re.fullmatch(re.escape(begins) + "[0-9a-f]{8}", name_of(title))
    assert is_safe(name_of(title)) and name_of(title).isascii()
    assert name_of(name_of(title)) == name_of(title), "--only takes a name of a folder, too"


def test_names_are_for_good() -> None:
    """A name that changed would end a history without a word; the page has these as examples."""
    page = (FEATURES.parent / "docs" / "write-a-drill.md").read_text(encoding="utf-8")
    for title, name in {"Zürich fails": "zurich-fails-6e8d87d1", "停電": "scenario-a7bf5404"}.items():
        assert name_of(title) == name
        assert f"*{title}* is `{name}`" in page


def test_names_keep_apart_what_is_not_the_same() -> None:
    """Other letters make another name; another way to write the same letters does not."""
    titles = ["Malaga", "Málaga", "Mälaga", "火", "水", "火水", "火 水", "!", "?"]
    assert len({name_of(title) for title in titles}) == len(titles)
    assert name_of(unicodedata.normalize("NFD", "Málaga")) == name_of("Málaga") == name_of("MÁLAGA")


# What is read


def test_every_scenario_is_read_in_any_language_and_place(tmp_path: Path) -> None:
    """Examples, rules and both kinds of background; each with the tags of all that it stands in, and its line."""
    (drill,) = catalog.announced(tree(tmp_path, uebung=GERMAN))
    found = {scenario.title: scenario for scenario in drill.scenarios}
    assert list(found) == ["Die Leitung ist slow", "Die Leitung ist weg", "Ein Server fällt aus"]
    assert [scenario.tags for scenario in drill.scenarios] == [
        ("INF-5", "monthly"),
        ("monthly",),
        ("INF-1", "OBJ-2", "monthly"),
    ]
    assert [scenario.line for scenario in drill.scenarios] == [16, 20, 29]
    slow = found["Die Leitung ist slow"]
    assert [str(sentence) for sentence in slow.sentences] == [
        "Angenommen the platform serves customers, replicates and archives",
        "Wenn the link of the leader's zone is slow",
        "Aber nobody notices",
        "Dann nothing that was acknowledged is lost",
    ]
    assert [sentence.kind for sentence in slow.sentences] == ["given", "when", "when", "then"]
    assert [sentence.background for sentence in found["Ein Server fällt aus"].sentences] == [True, True, False]
    assert [promise.finding for promise in PROJECT.sentences.expected(slow.sentences, PLAN)] == ["no-loss"]


def test_keywords_of_several_words_and_of_none_are_no_part_of_the_sentence(tmp_path: Path) -> None:
    """French has several words, Japanese puts nothing between."""
    french = "# language: fr\nFonctionnalité: x\nScénario: y\nÉtant donné que customers write\nLorsqu'it burns\n"
    japanese = "# language: ja\n機能: x\nシナリオ: z\n前提customers write\nもしit burns\n"
    for drill in catalog.announced(tree(tmp_path, a=french, b=japanese)):
        assert drill.scenarios[0].texts == ("customers write", "it burns")


def test_what_editors_leave_is_no_drill(tmp_path: Path) -> None:
    """A lock of Emacs is a link that leads nowhere; pytest-bdd collects no hidden file either."""
    folder = tree(tmp_path, fire=feature(plain("Fire")))
    (folder / "monthly" / ".#fire.feature").symlink_to("me@here.1")
    assert [drill.name for drill in catalog.announced(folder)] == ["fire"]


@pytest.mark.parametrize("text", ["Feature: x\n" + "\n" * 3000, "Feature: " + "x" * 5000])
def test_a_feature_has_an_end(tmp_path: Path, text: str) -> None:
    """What comes with a pack is not trusted to be short."""
    assert "at most" in refused(tree(tmp_path, fire=text)).message


# What is refused


def test_two_scenarios_of_one_title_are_refused(tmp_path: Path) -> None:
    """In one feature, and also where one stands in a rule."""
    twice = feature(plain("Fire"), plain("Water"), plain("Fire"))
    assert re.search(
        r"x\.feature:6: there is a scenario 'Fire' already, in .*x\.feature:2",
        refused(tree(tmp_path / "a", x=twice)).message,
    )
    in_rule = feature(plain("Fire"), "Rule: at night", plain("Fire"))
    assert re.search(r"x\.feature:5: .*x\.feature:2", refused(tree(tmp_path / "b", x=in_rule)).message)


def test_two_features_with_one_scenario_are_refused(tmp_path: Path) -> None:
    """A run of a month has one folder for it, whichever of the drills it is of; both lines are named."""
    said = refused(tree(tmp_path, fire=feature(plain("It burns")), house=feature("", plain("It burns!")))).message
    assert re.search(r"house\.feature:3: the short name of 'It burns!' is it-burns, as .*fire\.feature:2", said)


def test_two_drills_of_one_name_are_refused(tmp_path: Path) -> None:
    """Of two cadences, or with another hyphen."""
    folder = tree(tmp_path, big_fire=feature(plain("Fire")))
    (folder / "annual").mkdir()
    (folder / "annual" / "big-fire.feature").write_text(feature(plain("Water")))
    assert "there is a drill big-fire already" in refused(folder).message


@pytest.mark.parametrize(
    ("scenario", "line", "words"),
    [
        ("Scenario Outline: <x> burns\nGiven customers write", 2, "has no examples"),
        ("Scenario Template: <x> burns\nGiven customers write", 2, "has no examples"),
        ("Scenario Outline: <x> burns\nGiven customers write\nExamples:\n| x |", 4, "have no row"),
        ("Scenario: <x> burns\nGiven customers write\nExamples: none yet", 4, "have no row"),
        ("Scenario Outline: <x> burns\nGiven <x>\nExamples:\n|x|\n|a|\n\nExamples:\n|x|", 8, "have no row"),
        (
            "Scenario Outline: It burns\nGiven <x>\nExamples:\n|x|\n|a|\n|b|",
            7,
            "there is a scenario 'It burns' already",
        ),
        ("Scenario Outline: <x> burns\nGiven <y>\nExamples:\n|x|y|\n|a|1|\n|b|1|\n|a|2|", 8, "a scenario 'a burns' al"),
        ("Rule: at night\nScenario Outline: <x>\nGiven customers write", 3, "has no examples"),
        ("Scenario:\nGiven customers write", 2, "without a title"),
        (f"Scenario: {'very ' * 50}long\nGiven customers write", 2, "too long"),
        ("@skip\nScenario: Fire\nGiven customers write", 3, "the tag @skip"),
        ("Scenario Outline: <x>\nGiven customers write\n@xfail\nExamples:\n|x|\n|a|", 7, "the tag @xfail"),
        ("@skipif\nRule: at night\nScenario: Fire\nGiven customers write", 4, "the tag @skipif"),
    ],
)
def test_what_would_not_be_run_is_refused_with_its_line(tmp_path: Path, scenario: str, line: int, words: str) -> None:
    """Before anything starts; pytest-bdd would leave it out, run something else, or fail in the middle."""
    said = refused(tree(tmp_path, x=feature(scenario))).message
    assert f"x.feature:{line}: " in said and words in said


def test_a_feature_without_scenarios_or_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    """Nobody would run it, and nobody would miss it."""
    assert "holds no scenario" in refused(tree(tmp_path / "a", x="Feature: x\n")).message
    assert "holds no feature" in refused(tree(tmp_path / "b", x="# nothing\n")).message
    for place in ("lost.feature", "monthly/deeper/lost.feature"):
        folder = tree(tmp_path / place.replace("/", "-"), x=feature(plain("Fire")))
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text(feature(plain("Water")))
        assert f"{folder / place}: no drill is looked for" in refused(folder).message


def test_what_a_pack_holds_is_read_as_it_is(tmp_path: Path) -> None:
    """A pack of a run that took place says what it says: only what is still to be run is refused."""
    (drill,) = catalog.drills(tree(tmp_path, x=feature(plain("Fire"), plain("Fire"))))
    assert [scenario.name for scenario in drill.scenarios] == ["fire", "fire"]


@pytest.mark.parametrize("command", [["list"], ["run", "x"], ["run", "x", "--dry-run"], ["gate"]])
def test_no_command_goes_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """Neither the list nor the plan of a run, nor the gate; nothing is made."""
    folder = tree(tmp_path / "features", x=feature(plain("Fire"), plain("Fire")))
    monkeypatch.setattr("harness.project.load", lambda _: replace(PROJECT, features=folder))
    monkeypatch.setattr(Project, "load_plan", lambda _: PLAN)
    evidence = tmp_path / "evidence"
    words = [*command, *([] if command == ["list"] else ["--evidence", str(evidence)])]
    if command == ["gate"]:
        evidence.mkdir()
    done = CliRunner().invoke(drdrill, words)
    assert isinstance(done.exception, Refused) and "x.feature:4" in done.exception.message
    assert not list(evidence.glob("*"))


def test_the_list_says_which_sentences_no_step_knows() -> None:
    """None, in this project; as text, whatever else is known of a sentence."""
    done = CliRunner().invoke(drdrill, ["list", "--json"])
    scenarios = [scenario for drill in json.loads(done.output) for scenario in drill["scenarios"]]
    assert {tuple(scenario["unknown"]) for scenario in scenarios} == {()}
    assert "Given the platform serves customers, replicates and archives" in scenarios[0]["sentences"]


@pytest.mark.parametrize("only", ["No such thing", "停電", "!"])
def test_a_title_that_matches_nothing_is_refused(only: str) -> None:
    """With what there is."""
    done = CliRunner().invoke(drdrill, ["run", "network-failover", "--only", only, "--dry-run"])
    assert isinstance(done.exception, Refused)
    assert repr(only) in done.exception.message and "A slow link" in done.exception.hint


@pytest.mark.parametrize(
    "text",
    [
        "Feature: F\nScenario: S\nWen customers write\nGiven customers write\n",
        "Feature: F\nScenario: S\ngiven customers write\nWhen customers write\n",
        "Feature: F\nScenario: S\nWhen\u00a0customers write\nGiven customers write\n",
        "Feature: F\nBackground:\ngiven customers write\nGiven customers write\nScenario: S\nThen customers write\n",
        "Feature: F\nRule: R\nBackground:\ngiven customers write\nScenario: S\nThen customers write\n",
    ],
)
def test_a_line_that_nothing_would_carry_out_is_refused(tmp_path: Path, text: str) -> None:
    """A keyword with a slip of the pen makes a sentence a description: left out without a word, it would be not run."""
    folder = tmp_path / "monthly"
    folder.mkdir()
    (folder / "x.feature").write_text(text)
    with pytest.raises(Refused, match=r"x\.feature:\d+: .*nothing would carry it out"):
        catalog.announced(tmp_path)
    assert catalog.drills(tmp_path), "a pack that holds such a feature is still read"
