"""What the sentences of the smallest project mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.noop import Noop
from harness.features.sentences import Expected, Sentences
from harness.plan import Plan

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()


@SENTENCES.when("the service dies")
def _dies(scenario: ScenarioRun) -> None:
    scenario.faults.inject(Noop())


def _in_time(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    return [Expected("rto", f"RTO of {objective.title}", objective.rto, (objective.demands["rto"],))]


SENTENCES.promise("customers are served again within the RTO of the {tier}", _in_time)
