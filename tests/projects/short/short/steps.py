"""Its one sentence that the machine does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.features.sentences import Sentences

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()


@SENTENCES.when("what was hurt is healed")
def _healed(scenario: ScenarioRun) -> None:
    scenario.faults.end()
