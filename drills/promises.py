"""What a promise means: the findings that must be met, with objectives read from the plan.

Which sentence promises what stands beside its step, in drills/steps. All promises of a scenario are in the journal
before anything is hurt, so that success was defined before it was measured.
"""

from __future__ import annotations

from datetime import timedelta

from harness.features.sentences import Expected, Promise
from harness.plan import Plan

CATEGORY = "infrastructure failure"


def recovery_time(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    return [Expected("rto", f"RTO of {tier}", objective.rto, (objective.demands["rto"],))]


def recovery_point(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    return [Expected("rpo", f"RPO of {tier}", objective.rpo, (objective.demands["rpo"],))]


def backup_frequency(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    demands = (objective.demands["backup_every"],)
    return [Expected("backup-frequency", f"backup of {tier}", objective.backup_every, demands)]


def downtime_of_a_year(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    demands = (objective.demands["downtime_a_year"],)
    return [Expected("availability", f"a year's downtime of {tier}", objective.downtime_a_year, demands)]


def health(plan: Plan) -> list[Expected]:
    return [Expected("health", "health verification", None, tuple(check.demand for check in plan.health))]


def operations_are_told(plan: Plan) -> list[Expected]:
    limit = plan.category(CATEGORY).limits["detection"]
    return [
        Expected("detection", f"detection of an {CATEGORY}", limit, ("INF-1",)),
        Expected("alert", "the alert names what has failed", None, ("INF-3",)),
    ]


def at_most(limit: float, finding: str, objective: str, *demands: str) -> Promise:
    """So many of what the finding counts, whatever the plan says."""
    return lambda plan: [Expected(finding, objective, limit, demands)]


def right(finding: str, objective: str, *demands: str) -> Promise:
    """Right or wrong: there is nothing to measure it against."""
    return lambda plan: [Expected(finding, objective, None, demands)]


def within_confirmation(finding: str, objective: str, *demands: str) -> Promise:
    """In the time that the plan gives to confirm that everything works again."""

    def promised(plan: Plan) -> list[Expected]:
        limit: timedelta = plan.category(CATEGORY).limits["confirmation"]
        return [Expected(finding, objective, limit, demands)]

    return promised
