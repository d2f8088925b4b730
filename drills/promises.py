"""What a promise of QuantumNest's own sentences means; the others are the machine's."""

from __future__ import annotations

from harness.features.sentences import Expected
from harness.plan import Plan
from harness.plan.lengths import length_of_time
from harness.sentences.promises import of_tier


def backup_frequency(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "backup_every", finding="backup-frequency", objective="backup")]


def names_in_time(plan: Plan) -> list[Expected]:
    """The plan gives no time for it: what the procedure's settings say is ours."""
    within = length_of_time(plan.procedure("regional failover").settings["names_within"])
    demands = plan.finding("names-switched").demands
    return [Expected("names-switched", "customers of every place are led to the second region", within, demands)]
