"""What a promise of QuantumNest's own sentences means; the others are the machine's."""

from __future__ import annotations

from harness.features.sentences import Expected
from harness.plan import Plan
from harness.plan.lengths import length_of_time
from harness.sentences.promises import of_tier

REGIONAL = "regional failover"


def backup_frequency(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "backup_every", finding="backup-frequency", objective="backup")]


def noticed_outside(plan: Plan) -> list[Expected]:
    """As `names_in_time`. That a region counts as down is for monitoring outside of all regions to say."""
    within = length_of_time(plan.procedure(REGIONAL).settings["noticed_within"])
    return [
        Expected("detection", "monitoring outside of all regions notices it", within, ("REG-1",)),
        Expected("alert", "the alert names what has failed", None, ("REG-1",)),
    ]


def names_in_time(plan: Plan) -> list[Expected]:
    """The plan gives no time for it: what the procedure's settings say is ours."""
    within = length_of_time(plan.procedure(REGIONAL).settings["names_within"])
    demands = plan.finding("names-switched").demands
    return [Expected("names-switched", "customers outside of it are led to the second region", within, demands)]
