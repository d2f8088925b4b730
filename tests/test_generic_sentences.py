"""The sentences that are true of any platform: listed for whoever writes a drill, and declared by nobody else."""

from __future__ import annotations

import re

import pytest

from harness import project
from harness.checks.rules import CURRENT
from harness.errors import Refused
from harness.features import catalog
from harness.features.sentences import Sentences
from harness.features.soundness import sound_drills
from harness.sentences import GENERIC
from harness.stacks import kinds
from tests.test_house import HOME
from tests.this_project import PROJECT

NOTEBOOK = project.load(HOME / "tests" / "projects" / "notebook")
PAYDESK = project.load(HOME / "tests" / "projects" / "paydesk")
BESIDE = project.load(HOME / "tests" / "projects" / "beside")  # backups alone: it has no customers


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


def test_a_project_of_backups_alone_is_whole() -> None:
    """Its drills can run by its stack file, and nobody has to write."""
    (drill,) = BESIDE.drills()
    offer = kinds.of_file(BESIDE.folder / "stack.yaml").offer()
    assert [BESIDE.lacking(scenario, offer) for scenario in drill.scenarios] == [[]] * 5 and not BESIDE.client.name


def test_every_sentence_of_the_steps_is_in_a_feature() -> None:
    """What no feature says any more is taken away; the machine's sentences may be said by another project."""
    till = HOME / "tests" / "projects" / "till" / "features"
    features = (PROJECT.features, NOTEBOOK.features, PAYDESK.features, BESIDE.features, till)
    drills = [drill for folder in features for drill in catalog.drills(folder)]
    said = [each for drill in drills for scenario in drill.scenarios for each in scenario.sentences]
    known = PROJECT.sentences
    used = {id(found) for each in said for found in known.matching(each.kind, each.text)}
    assert [each.pattern for each in known.definitions if id(each) not in used] == []
