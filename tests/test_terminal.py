"""What a run and its plan say on a terminal: words for people, each thing once, nothing but what is in the journal."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from drills import FEATURES
from drills.mistake import recent_transactions_destroyed
from harness import plan
from harness.cli import drdrill
from harness.cli.live import Live
from harness.errors import Exit, Refused
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.features import catalog
from tests import sample_pack
from tests.sample_pack import MISTAKE, VOLUMES, Plot
from tests.this_project import PROJECT

PLAN = plan.load(FEATURES.parent / "drills" / "plan.yaml", features=FEATURES)
CADENCES, BUILT = {duty.cadence for duty in PLAN.calendar}, {drill.cadence for drill in catalog.drills(FEATURES)}
PYTHON = shlex.quote(sys.executable)  # a clone may lie in a path with a space


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def shown(folder: Path) -> tuple[Live, list[str]]:
    """Everything that a watched run says, and the watcher afterwards."""
    said: list[str] = []
    live = Live(folder, say=said.append)
    for line in lines_of(folder):
        live.show(line)
    return live, said


def dry(*words: str) -> Result:
    return CliRunner().invoke(drdrill, ["run", *words, "--dry-run"])


def test_facts_of_a_step_are_words(tmp_path: Path) -> None:
    """No brackets, quotes or backslashes of JSON; a fact that is nothing is left out; a long one has its own line."""
    live, said = shown(sample_pack.write(tmp_path / "pack", Plot(rate=1.0)))
    whole = "\n".join(said)
    assert "done stop-the-writers (0.8 s)  zones: a, b, c" in whole
    assert not [mark for mark in ('["', '"]', "\\", "{}", "[]") if mark in whole]
    step = {"phase": "restore", "name": "find", "ok": True, "seconds": 1.0,
            "facts": {"rows": 7, "log": ['LOG: statement: UPDATE "a"."b"\x1b[2J ' + "x" * 200]}}  # fmt: skip  # a table
    said.clear()
    live.show({"mono": 0, "kind": "step.end", "data": step})
    first, second = said
    assert first.endswith("done find (1.0 s)  rows: 7")
    assert second.strip().startswith('log: LOG: statement: UPDATE "a"."b"<U+001B>') and second.endswith("…")


def test_a_procedure_is_listed_once(tmp_path: Path) -> None:
    """In full the first time; a scenario with the same list names it in one line, one with another list prints it."""
    again = Plot(name=VOLUMES, title="The volumes, again", rate=1.0)
    folder = sample_pack.write(tmp_path / "pack", Plot(rate=1.0), Plot(name=VOLUMES, rate=1.0), again)
    _, said = shown(folder)
    assert sum("1. stop-the-writers" in line for line in said) == 2
    assert sum("procedure restore-database:" in line for line in said) == 3
    assert said.pop(next(n for n, line in enumerate(said) if "listed in" in line)).endswith(
        "procedure restore-database: the 10 steps listed in “All volumes lost”"
    )


def test_the_status_line_says_what_is_going_on(tmp_path: Path) -> None:
    """A next scenario is announced only where one is planned, and never while the run is being stopped."""
    folder = sample_pack.write(tmp_path / "pack", Plot(rate=1.0), Plot(name=VOLUMES, rate=1.0))
    live, doing = Live(folder, say=lambda _: None), {}
    for line in lines_of(folder):
        live.show(line)
        if line["kind"] == "scenario.end":
            doing[line["data"]["scenario"]] = live.status()
    assert doing[MISTAKE].startswith("the next scenario is prepared")
    assert doing[VOLUMES].startswith("the stack is taken down")
    stopped = Live(folder, say=lambda _: None)
    stopped.stop()
    for line in lines_of(folder)[:-1]:
        stopped.show(line)
        assert "stopping: what is hurt is healed" in stopped.status()
    stopped.show(lines_of(folder)[-1])
    assert stopped.status().startswith("the pack is sealed")


def test_a_stand_in_decides_in_words_that_read_well(tmp_path: Path) -> None:
    """Who was asked, what, and that nobody's decision time was exercised."""
    _, said = shown(sample_pack.write(tmp_path / "pack", Plot(rate=1.0)))
    (line,) = [line for line in said if "Decided" in line]
    asked, _, decided = line.partition("? ")
    assert asked.endswith("the incident commander is asked: restore the database")
    assert decided == "Decided at once by the stand-in of the harness; decision time: not exercised"


def test_a_dry_run_says_each_thing_once() -> None:
    """Sentences, steps and findings that scenarios share are printed in full once; every scenario is there."""
    done = dry("database-backup-restoration")
    assert done.exit_code == 0
    assert done.output.count("Given the platform serves customers") == 1
    assert done.output.count(" 1. [restore] stop-the-writers") == 3, (
        "after a mistake, after lost volumes, and after damage that has reached a backup"
    )
    assert done.output.count("steps as in “All volumes lost”") == 4
    assert "    When an object of the latest base backup is deleted, and nobody notices\n" in done.output
    assert "in-service: the restored database serves, right or wrong\n" in done.output
    assert "; )" not in done.output and "()" not in done.output


def test_a_dry_run_says_what_is_left_out_where_something_comes_instead() -> None:
    """Who reads only what is added would take the rest to be as before."""
    title, added = "judged as in “An API server dies”, but:", "rejoined: a copy again, at most 5 min"
    without = "and without: back-in-rotation: what had failed does its work again, right or wrong"
    assert f"  {title}\n    {added}\n    {without}\n" in dry("application-recovery").output


def test_an_attended_dry_run_says_who_will_be_asked_what() -> None:
    """For each scenario, also where nobody is; the questions are those that stand beside the sentences."""
    said = dry("monthly", "--attended").output + dry("quarterly", "--attended").output
    asked = [each.asks for each in PROJECT.sentences.definitions if each.asks]
    assert len(asked) == 9
    for question, role in asked:
        assert f"  the {role} is asked: {question}\n" in said
    scenarios = said.count(" is asked: ") + said.count("  nobody is asked for a decision\n")
    built = [drill for drill in catalog.drills(FEATURES) if drill.cadence in ("monthly", "quarterly")]
    assert scenarios == sum(len(drill.scenarios) for drill in built)
    assert "is asked" not in dry("monthly").output


def test_a_dry_run_of_one_scenario_is_whole() -> None:
    """What it would share with others is there in full."""
    title = "All volumes lost, and an object of the latest base backup is deleted"
    done = dry("database-backup-restoration", "--only", title)
    assert done.output.count("\n  steps:\n") == done.output.count("\n  judged:\n") == 1
    assert "as in" not in done.output and "An operator's mistake" not in done.output


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((cadence, f"there are no {cadence} drills yet") for cadence in sorted(CADENCES - BUILT)),
        *(
            (duty.drill, f"there is no drill {duty.drill}: {duty.not_built}")
            for duty in PLAN.calendar
            if duty.not_built
        ),
    ],
)
def test_a_drill_that_there_is_not_is_said_plainly(name: str, words: str) -> None:
    """Refused, with where to look."""
    done = dry(name)
    assert isinstance(done.exception, Refused) and done.exception.exit is Exit.REFUSED
    assert done.exception.message == words


class Emptied(DestroyRecentRows):
    """The fault with nothing left to destroy."""

    def _sound(self, stack: object, at: str) -> int:
        return 3


def test_hours_are_hours() -> None:
    """Not `1 day, 0:00:00`."""
    fault = Emptied(**asdict(recent_transactions_destroyed(24)))
    assert fault.took_effect(None, {"sound": 100, "at": ""}) == "of 100 sound rows of the last 24 hours, 3 are left"


@pytest.mark.parametrize("closed", [">&-", "<&-", "<&- >&- 2>&-"])
def test_closed_outputs_are_no_failure(tmp_path: Path, closed: str) -> None:
    """A shell may start it with any of the three closed: the exit code is that of the command."""
    command = f"exec {PYTHON} -m harness calendar --evidence '{tmp_path}' {closed}"
    assert subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode == 0


def test_an_output_that_is_full_is_told_once() -> None:
    """One error, in words about the output, and a documented exit code."""
    command = f"exec {PYTHON} -m harness list >/dev/full"
    ended = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True)
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: the output cannot be written") and "Exception ignored" not in ended.stderr
