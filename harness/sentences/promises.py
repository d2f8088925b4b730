"""What a promise means: the findings that must be met, with objectives and demands read from the plan.

All promises of a scenario are in the journal before anything is hurt, so that success was defined before it was
measured.
"""

from __future__ import annotations

from datetime import timedelta

from harness.errors import Refused
from harness.features.sentences import Expected, Promise
from harness.plan import Plan


def recovery_time(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "rto", finding="rto", objective="RTO")]


def recovery_point(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "rpo", finding="rpo", objective="RPO")]


def recovery_point_beyond(plan: Plan, tier: str) -> list[Expected]:
    """The worse of what was lost with a region, and of what the other one had not received at any moment before."""
    return [of_tier(plan, tier, "rpo", finding="rpo-beyond", objective="RPO")]


def loss(plan: Plan, tier: str) -> list[Expected]:
    """What was lost this time, and not what could have been: for a platform that keeps no archive to look at."""
    return [of_tier(plan, tier, "rpo", finding="loss", objective="RPO")]


def downtime_of_a_year(plan: Plan, tier: str) -> list[Expected]:
    return [of_tier(plan, tier, "downtime_a_year", finding="availability", objective="a year's downtime")]


def of_tier(plan: Plan, tier: str, figure: str, *, finding: str, objective: str) -> Expected:
    """A finding against a figure of a tier. Errors: `Refused` where the plan has no such tier, or not that figure."""
    promised = plan.objective(tier)
    limit: timedelta | None = getattr(promised, figure)
    if limit is None:
        raise Refused(f'{plan.path}: the tier "{tier}" has no {figure}', hint=f"add {figure} to it, and its demand")
    demand = promised.demands.get(figure)
    return Expected(finding, f"{objective} of {tier}", limit, (demand,) if demand else ())


def health(plan: Plan) -> list[Expected]:
    return [Expected("health", "health verification", None, tuple(check.demand for check in plan.health))]


def operations_are_told(plan: Plan) -> list[Expected]:
    planned = plan.finding("detection")
    article = "an" if planned.category[:1] in "aeiou" else "a"
    objective = f"detection of {article} {planned.category}"
    return [
        Expected("detection", objective, plan.time_for("detection"), planned.demands),
        Expected("alert", "the alert names what has failed", None, plan.finding("alert").demands),
    ]


def at_most(limit: float, finding: str, objective: str, *demands: str) -> Promise:
    """So many of what the finding counts. `demands`: instead of those that the plan says the finding answers."""
    return lambda plan: [Expected(finding, objective, limit, demands or plan.finding(finding).demands)]


def right(finding: str, objective: str, *demands: str) -> Promise:
    """Right or wrong: there is nothing to measure it against. `demands`: as `at_most`."""
    return lambda plan: [Expected(finding, objective, None, demands or plan.finding(finding).demands)]


def in_time(finding: str, objective: str) -> Promise:
    """In the time that the plan gives the finding. Errors, once it is asked: `Refused` where it gives none."""
    return lambda plan: [Expected(finding, objective, plan.time_for(finding), plan.finding(finding).demands)]
