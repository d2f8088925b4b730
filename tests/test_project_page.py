"""What a project is called on the disk, and what the page of projects shows of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness import project
from harness.errors import Refused
from tests.plain_clients import PAYDESK
from tests.test_project import HOME, NOTEBOOK, SMALLEST


def test_a_folder_whose_name_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    """It goes into files and journals."""
    odd = tmp_path / "odd\nname"
    shutil.copytree(SMALLEST, odd)
    with pytest.raises(Refused, match="cannot be printed"):
        project.find(odd)


def test_the_page_shows_the_one_to_begin_with_as_it_is() -> None:
    """Word for word, and its project.yaml is that of this repository."""
    page = (HOME / "docs" / "projects.md").read_text()
    blocks = re.findall(r"```(?:yaml|gherkin|python)\n(.*?)```", page, re.DOTALL)
    desk = [PAYDESK / f"{name}.yaml" for name in ("client", "books", "project")]
    files = [HOME / "project.yaml", *desk, NOTEBOOK / "project.yaml", *NOTEBOOK.rglob("*.feature")]
    assert blocks == [re.sub(r"\A#.*\n", "", file.read_text()) for file in files]
