"""The page of projects shows what is really there."""

from __future__ import annotations

import re

from tests.test_project import HOME, NOTEBOOK


def test_the_page_shows_the_one_to_begin_with_as_it_is() -> None:
    """Word for word, and its project.yaml is that of this repository."""
    page = (HOME / "docs" / "projects.md").read_text()
    blocks = re.findall(r"```(?:yaml|gherkin|python)\n(.*?)```", page, re.DOTALL)
    files = [HOME / "project.yaml", NOTEBOOK / "project.yaml", *NOTEBOOK.rglob("*.feature")]
    assert blocks == [re.sub(r"\A#.*\n", "", file.read_text()) for file in files]
