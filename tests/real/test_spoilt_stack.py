"""A scenario that leaves the run's own stack otherwise than the next one needs: that one has a new stack."""

from __future__ import annotations

import json
from pathlib import Path

from harness.evidence.lines import read
from tests.real.test_second_project import made

BREAKS = """
from harness.faults.noop import Noop
from harness.features.sentences import Sentences

SENTENCES = Sentences()


@SENTENCES.when("somebody breaks it for good")
def _breaks(scenario):
    scenario.stack.stop()
    scenario.faults.inject(Noop())
"""
FEATURE = """@monthly @TST-M1
Feature: Service Recovery

  @OBJ-1
  Scenario: Somebody breaks it
    Given the platform serves customers
    When somebody breaks it for good

  @OBJ-1
  Scenario: The service hangs
    Given the platform serves customers
    And customers write
    When the component service hangs
    And what hangs goes on again
    Then customers are served again by the platform itself
    When the health of the platform is verified
    Then customers are served again within the recovery time of the notebook
"""


def test_the_next_scenario_has_a_new_stack(tmp_path: Path) -> None:
    """What was broken is UNKNOWN, and what comes after it is judged by itself; both stacks have ended, and both logs
    are there."""
    place = made(tmp_path)
    (place.project / "notebook" / "steps.py").write_text(BREAKS)
    with (place.project / "project.yaml").open("a") as file:
        file.write("sentences: notebook.steps\n")
    (feature,) = (place.project / "features").rglob("*.feature")
    feature.write_text(FEATURE)
    done = place.drdrill("--project", place.project, "run", "service-recovery", "--evidence", place.evidence)
    (pack,) = [path for path in place.evidence.iterdir() if path.is_dir()]
    verdicts = json.loads((pack / "findings.json").read_text())["verdicts"]
    assert verdicts == {"somebody-breaks-it": "UNKNOWN", "the-service-hangs": "MET"}, done.stdout + done.stderr
    kinds = [line.kind for line in read(pack / "journal.jsonl") if line.kind.startswith(("stack.", "scenario."))]
    one = ["scenario.begin", "stack.begin", "stack.ready", "scenario.end", "stack.end"]
    assert kinds == [*one, *one]
    assert (pack / "logs" / "stack-1" / "supervisor.log").is_file() and (pack / "logs" / "supervisor.log").is_file()
    assert done.stdout.count("the stack is ready") == 2
