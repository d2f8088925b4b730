"""The table of scenarios and stacks: the page is what the command prints, also with the stack file of an example."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harness.cli import drdrill, scenario_table
from harness.errors import Refused
from harness.project import load as load_project
from harness.stacks.attached.file.read import load
from tests.test_house import HOME

PAGE = HOME / "docs" / "scenarios.md"
EXAMPLE = HOME / "docs" / "examples" / "stack.yaml"
STACKS = ("local", "docker", str(EXAMPLE))
FIRST = "All of them need: "


def test_the_page_is_what_the_command_prints() -> None:
    """`drdrill list --markdown --stack local --stack docker --stack docs/examples/stack.yaml` writes it anew."""
    said = scenario_table.markdown(load_project(HOME), STACKS)
    assert said.startswith(FIRST) and PAGE.read_text().partition(FIRST)[2] == said.removeprefix(FIRST) + "\n"


def test_every_scenario_has_a_row_and_a_cell_for_each_stack() -> None:
    """Where nothing is lacking it is yes; else what is lacking is told."""
    project = load_project(HOME)
    named = scenario_table.heads(project, STACKS)
    assert [name for name, _ in named] == ["local", "docker", "Paydesk"]
    found = scenario_table.rows(project, [offer for _, offer in named])
    assert len(found) == sum(len(drill.scenarios) for drill in project.drills())
    assert all(row.needs and len(row.lacks) == 3 for row in found)
    assert all(set(lacks) <= set(row.needs) for row in found for lacks in row.lacks)


def test_the_example_is_a_stack_file() -> None:
    """With every part that gives a capability."""
    said = load(EXAMPLE)
    assert said.customers and said.database and said.database.failover and said.alerts and said.zones


@pytest.mark.parametrize("words", [
    ["--stack", "local", "--stack", "docker"], ["--markdown", "--json"], ["--markdown", "--sandbox", "loopback"],
])  # fmt: skip  # a table
def test_what_makes_no_sense_is_refused(words: list[str]) -> None:
    """Several stacks are a table, and a table is of kinds."""
    assert isinstance(CliRunner().invoke(drdrill, ["list", *words]).exception, Refused)
