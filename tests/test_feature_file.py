"""A feature is read as pytest-bdd reads it: what is listed is what is run, and errors say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import parser
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.gherkin_parser import Scenario

from drills import FEATURES
from harness.features import feature_file
from harness.features.feature_file import NotGherkin, filled

RULES = """\
@monthly @OBJ-1
Feature: Water
  A description, that is no sentence.

  Background:
    Given the <pump> runs
    * so does the other

  @a
  Scenario Outline: The <pump> of <place> stops
    Given customers write
    And <unknown> stays, as does <pump
    When it stops
      \"\"\"
      When nothing of a text is a sentence
      \"\"\"
    But nobody notices
      | name   | value |
      | <pump> | 1     |
    Then it is told

    @b @a
    Examples: near
      | pump  | place |
      | first | here  |
      |       | there |

    Examples: far
      | place | pump   |
      | away  | sec\\|ond |

  Rule: At night
    Background:
      Given it is dark

    @c
    Example: Nobody is there
      When it stops
      And stays so

  @d
  Rule: By day
    Scenario: Everybody is there
      Then it is told
    Scenario: Nothing at all
"""
SAMPLES = {
    "rules": RULES,
    "spanish": "# language: es\nCaracterística: x\nEsquema del escenario: <y>\nDado que <y>\n* e\nEjemplos:\n|y|\n|1|",
    "polish": "# language: pl\nFunkcja: x\nScenariusz: y\nZakładając, że a\nOraz b\nGdy c\nWtedy d",
    "nothing": "Feature:",
    "twice": "Feature: x\nScenario: y\nGiven a\nScenario: y\nGiven b",
}
BROKEN = {
    "two features": "Feature: x\nScenario: y\nGiven a\nFeature: z\n",
    "a step outside": "Feature: x\n@tag\nGiven a\n",
    "text before": "some text\nFeature: x\n",
    "two backgrounds": "Feature: x\nBackground:\nGiven a\nBackground:\nGiven b\n",
    "a scenario first": "Scenario: y\nGiven a\n",
    "a rule in nothing": "Rule: y\nScenario: z\n",
    "a keyword with a slip": "Feature: x\nScenario: y\nGiven a\nWenn b\nThen c\n",
    "an end too early": 'Feature: x\nScenario: y\nGiven a\n"""\nnever ended\n',
    "tags of nothing": "Feature: x\n@tag\n",
    "a row too short": "Feature: x\nScenario: y\nGiven a\n|a|b|\n|c|\n",
    "no such language": "# language: no-such\nFeature: x\n",
    "and first": "Feature: x\nScenario: y\nAnd a\n",
    "a star first": "Feature: x\nBackground:\n* a\nScenario: y\n",
    "a tag with a space": "Feature: x\n@a b\nScenario: y\n",
    "a quote of a keyword": "Feature: x\nScenario: y\nGiven a\ngot 'Rule: b'\n",
}


class Every(parser.FeatureParser):
    """pytest-bdd's own reader, which keeps each scenario as it comes."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path.parent), path.name)
        self.every: list[tuple[parser.ScenarioTemplate, Scenario]] = []

    def parse_scenario(self, scenario_data: Scenario, *place: Any) -> parser.ScenarioTemplate:
        template = super().parse_scenario(scenario_data, *place)
        self.every.append((template, scenario_data))
        return template


def theirs(path: Path) -> list[tuple[object, ...]]:
    """Each scenario that pytest-bdd would run, examples filled in."""
    reader = Every(path)
    feature = reader.parse()
    found = []
    for template, written in reader.every:
        tags = feature.tags | template.tags | (template.rule.tags if template.rule else set())
        rows = [(values, tags | each.tags) for each in template.examples for values in each.as_contexts()]
        for values, known in rows or [({}, tags)]:
            whole = template.render(values)
            steps = [(step.keyword, step.name, step.type) for step in whole.steps]
            shared = len(template.all_background_steps)
            found.append(
                (feature.name, feature.language, whole.name, written.keyword, whole.line_number, known, shared, steps)
            )
    return found


def ours(path: Path) -> list[tuple[object, ...]]:
    feature = feature_file.read(path)
    found: list[tuple[object, ...]] = []
    for each in feature.scenarios:
        rows = [(row.values, each.tags | table.tags) for table in each.tables for row in table.rows]
        for values, tags in rows or [({}, each.tags)]:
            steps = [(step.keyword, filled(step.text, values), step.kind) for step in (*each.background, *each.steps)]
            title, shared = filled(each.title, values), len(each.background)
            found.append((feature.title, feature.language, title, each.keyword, each.line, tags, shared, steps))
    return found


@pytest.mark.parametrize("path", sorted(FEATURES.glob("*/*.feature")), ids=lambda path: path.stem)
def test_the_drills_are_read_as_pytest_bdd_reads_them(path: Path) -> None:
    """Titles, tags, sentences and their kinds."""
    assert ours(path) == theirs(path) != []


@pytest.mark.parametrize("name", SAMPLES)
def test_what_gherkin_allows_is_read_as_pytest_bdd_reads_it(tmp_path: Path, name: str) -> None:
    """Rules, outlines, tables, texts, and languages with a keyword of several words."""
    path = tmp_path / "x.feature"
    path.write_text(SAMPLES[name], encoding="utf-8")
    assert ours(path) == theirs(path)


def test_a_row_has_its_line_and_its_columns(tmp_path: Path) -> None:
    """Of each table its own, in whatever order they stand."""
    path = tmp_path / "x.feature"
    path.write_text(RULES, encoding="utf-8")
    near, far = feature_file.read(path).scenarios[0].tables
    assert [(row.line, dict(row.values)) for row in (*near.rows, *far.rows)] == [
        (25, {"pump": "first", "place": "here"}),
        (26, {"pump": "", "place": "there"}),
        (30, {"place": "away", "pump": "sec|ond"}),
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_an_error_says_what_pytest_bdd_says(tmp_path: Path, name: str) -> None:
    """In the same words, of the same line."""
    path = tmp_path / "x.feature"
    path.write_text(BROKEN[name], encoding="utf-8")
    with pytest.raises(GherkinParseError) as their:
        theirs(path)
    with pytest.raises(NotGherkin) as our:
        feature_file.read(path)
    assert (our.value.message, our.value.line) == (their.value.message, their.value.line)
    assert our.value.content == their.value.line_content
