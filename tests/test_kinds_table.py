"""The table of what kinds of stacks have: the page is what the command prints, also for a project's own kind."""

from __future__ import annotations

import json

from harness.stacks import table
from harness.stacks.capabilities import CAPABILITIES
from harness.stacks.kinds import KINDS
from tests import warm
from tests.test_house import HOME

PAGE = HOME / "docs" / "stacks.md"
NOTEBOOK = HOME / "tests" / "projects" / "notebook"


def said(*words: str) -> str:
    """In a process of its own: what is imported of a project is not there for the next test."""
    done = warm.drdrill(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_is_what_the_command_prints() -> None:
    """`drdrill stack kinds --markdown` writes it anew."""
    assert PAGE.read_text().partition("| capability |")[2] == table.markdown().partition("| capability |")[2] + "\n"


def test_every_capability_has_a_row_and_every_kind_a_column() -> None:
    """Also the zones and the copies, which are counted."""
    found = json.loads(table.as_json())
    assert [row["name"] for row in found] == [
        "Zones",
        "Copies",
        "Regions",
        *(line.protocol.__name__ for line in CAPABILITIES),
    ]
    assert all(list(row["kinds"]) == list(KINDS) for row in found)
    assert [list(row["kinds"].values()) for row in found[:3]] == [["3", "3"], ["2", "2"], ["2", "2"]]


def test_a_projects_own_kind_has_a_column() -> None:
    """Of the project that is named; of one without a kind of its own the machine's stand alone."""
    lines = said("--project", str(NOTEBOOK), "stack", "kinds").splitlines()
    assert lines[0].split() == ["local", "docker", "notebook"]
    assert "reading of its own no no yes" in [" ".join(line.split()) for line in lines]
    rows = json.loads(said("--project", str(NOTEBOOK), "stack", "kinds", "--json"))
    assert {row["name"] for row in rows if row["kinds"]["notebook"] == "yes"} == {
        "Reachable", "Readable", "Startable", "Killable", "Pausable", "Asked", "Logged",
    }  # fmt: skip  # a set
    assert "notebook" not in said("stack", "kinds") and "| local | docker |" in said("stack", "kinds", "--markdown")
