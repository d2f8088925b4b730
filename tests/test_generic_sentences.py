"""The sentences that are true of any platform: listed for whoever writes a drill, and declared by nobody else."""

from __future__ import annotations

import re

import pytest

from harness import project
from harness.checks.rules import CURRENT
from harness.errors import Refused
from harness.features.sentences import Sentences
from harness.features.soundness import sound_drills
from harness.sentences import GENERIC
from tests.test_house import HOME

NOTEBOOK = project.load(HOME / "tests" / "projects" / "notebook")


def test_the_page_lists_the_sentences_of_the_machine() -> None:
    """Each with its kind, and none besides."""
    page = (HOME / "docs" / "write-a-drill.md").read_text()
    page = page.split("## Sentences that are there already")[1].split("\n## ")[0]
    listed = re.findall(r"^\| (Given|When|Then) \| (.*) \|$", page, re.MULTILINE)
    assert sorted(listed) == sorted((each.kind.capitalize(), each.pattern) for each in GENERIC.definitions)


def test_a_project_does_not_declare_a_sentence_of_the_machine_again() -> None:
    """It would mean two things."""
    again = Sentences()
    again.promise("nothing that was acknowledged is lost", lambda _: [])
    known = Sentences.joined([GENERIC, again])
    with pytest.raises(Refused, match=r"this sentence is declared already, at .*sentences/service.py"):
        sound_drills(NOTEBOOK.features, plan=NOTEBOOK.load_plan(), sentences=known, findings=CURRENT.checks)
