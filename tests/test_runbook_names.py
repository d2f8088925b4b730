"""The runbook, the procedure and what the pack says of the plan's script stay in step."""

from __future__ import annotations

import re
import subprocess
from typing import Any, cast

import pytest

from drills.changes import RESTORE_DATABASE
from drills.reconciliation import RECONCILIATION, TABLE
from harness.procedures import Procedure
from harness.procedures.rebuild_index import RebuildIndex
from harness.procedures.reconciliation import ReconciledState
from harness.procedures.replace_damaged_server import ReplaceDamagedServer
from harness.procedures.restore_database import RestoreDatabase
from harness.stacks import Stack
from harness.system.recorder import Memory
from tests import runbook

TEXT = runbook.RUNBOOK.read_text(encoding="utf-8")
CASES = pytest.mark.parametrize("mistaken", [True, False], ids=["after a mistake", "all volumes lost"])


def procedure(recorder: Memory, *, mistaken: bool) -> Procedure:
    """The list of steps; making it touches no stack."""
    nothing = cast(Stack, None)
    before = ReconciledState(last=0, position="0/0", history=1, values={}, size={})
    return RestoreDatabase(
        nothing, RECONCILIATION, before, recorder, mistaken=TABLE if mistaken else "", changes=RESTORE_DATABASE
    ).procedure()


@CASES
def test_the_runbook_has_the_steps_of_the_procedure(mistaken: bool) -> None:
    """A person and the program take the same steps, by the same names, in the same order."""
    by_program = [step.name for step in procedure(Memory(), mistaken=mistaken).steps]
    assert [step.title for step in runbook.steps(mistaken=mistaken)] == by_program


@pytest.mark.parametrize("step", runbook.steps(mistaken=True), ids=lambda step: step.title)
def test_every_step_says_what_to_do_what_to_see_and_what_else(step: runbook.Section) -> None:
    """Each step has exactly one block of commands, then what should be seen, then what to do if not."""
    assert len(step.blocks("sh")) == 1
    _, after = step.text.rsplit("```", 1)
    assert 0 <= after.find("*You should see*") < after.find("*If not*")


@CASES
def test_the_commands_are_a_shells(mistaken: bool) -> None:
    """Bash reads all of them, and what follows the first block names no variable of the stack's own."""
    for script in (runbook.while_all_is_well(), runbook.recovery(mistaken=mistaken)):
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    first, *others = re.findall(r"^```sh.*?\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert "STACK_" in first
    assert [block for block in others if "STACK_" in block] == []


def test_the_block_for_staging_sets_all_that_the_embedded_one_does() -> None:
    """An engineer on staging replaces one block; the example defines every name that the page uses from it."""
    (embedded, _), (staging,) = next(
        (one.blocks("sh"), one.blocks("text")) for one in runbook.sections() if one.title == "Open a shell"
    )
    functions = set(re.findall(r"^(\w+)\(\)", embedded, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+)=", embedded, re.MULTILINE)) - {"S3_USER"}
    assert functions == set(re.findall(r"^(\w+)\(\)", staging, re.MULTILINE))
    assert variables <= set(re.findall(r"(?:^|\s)([A-Z_]+)=", staging))


def test_what_is_changed_against_the_plan_is_said_once() -> None:
    """The table at the end of the runbook is the list that a run records before its first step."""
    recorder = Memory()
    procedure(recorder, mistaken=True).announce()
    ((kind, recorded),) = recorder.facts
    rows: list[dict[str, Any]] = recorded["changes"]
    table = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)
    assert kind == "procedure"
    assert table[1:] == [(row["plan"], row["here"], row["why"]) for row in rows]
    assert len(rows) >= 5


def test_the_runbook_of_an_index_has_the_steps_of_its_procedure() -> None:
    """By the same names, in the same order."""
    text = runbook.RUNBOOK.with_name("rebuild-an-index.md").read_text(encoding="utf-8")
    by_program = [step.name for step in RebuildIndex(cast(Stack, None), lambda _: [], Memory()).procedure().steps]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == by_program


def test_the_runbook_of_a_damaged_server_has_the_steps_of_its_procedure() -> None:
    """By the same names, in the same order."""
    text = runbook.RUNBOOK.with_name("replace-a-damaged-server.md").read_text(encoding="utf-8")
    by_program = ReplaceDamagedServer(cast(Stack, None), lambda _: [], Memory()).procedure().steps
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [step.name for step in by_program]
