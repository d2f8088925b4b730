"""What the sentences promise: each names the findings that must be met, with objectives read from the plan.

All of them are in the journal before anything is hurt, so that success was defined before it was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import NamedTuple

from pytest_bdd import parsers

from harness.plan import Plan

CATEGORY = "infrastructure failure"


class Expected(NamedTuple):
    """One finding that a sentence asks for. `limit` None: there is nothing to measure against, only right or wrong."""

    finding: str
    objective: str
    limit: timedelta | float | None  # a length of time, or a number of what the finding counts
    demands: tuple[str, ...]


def _recovery_time(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    return [Expected("rto", f"RTO of {tier}", objective.rto, (objective.demands["rto"],))]


def _recovery_point(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    return [Expected("rpo", f"RPO of {tier}", objective.rpo, (objective.demands["rpo"],))]


def _backup_frequency(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    demands = (objective.demands["backup_every"],)
    return [Expected("backup-frequency", f"backup of {tier}", objective.backup_every, demands)]


def _health(plan: Plan) -> list[Expected]:
    return [Expected("health", "health verification", None, tuple(check.demand for check in plan.health))]


def _told(plan: Plan) -> list[Expected]:
    category = plan.category(CATEGORY)
    return [
        Expected("detection", f"detection of an {CATEGORY}", category.limits["detection"], ("INF-1",)),
        Expected("alert", "the alert names what has failed", None, ("INF-3",)),
    ]


def _confirmed(plan: Plan) -> list[Expected]:
    return [Expected("confirmation", "confirmation of the restoration", _confirmation(plan), ("INF-4",))]


def _within_confirmation(finding: str, objective: str, *demands: str) -> Callable[[Plan], list[Expected]]:
    return lambda plan: [Expected(finding, objective, _confirmation(plan), demands)]


def _confirmation(plan: Plan) -> timedelta:
    return plan.category(CATEGORY).limits["confirmation"]


def _budget(plan: Plan, tier: str) -> list[Expected]:
    objective = plan.objective(tier)
    demands = (objective.demands["downtime_a_year"],)
    return [Expected("availability", f"a year's downtime of {tier}", objective.downtime_a_year, demands)]


def _nothing_lost(plan: Plan) -> list[Expected]:
    return [Expected("no-loss", "nothing that was acknowledged is lost", 0.0, ("OBJ-2",))]


def _plainly(finding: str, objective: str, *demands: str) -> Callable[[Plan], list[Expected]]:
    return lambda plan: [Expected(finding, objective, None, demands)]


SENTENCES: dict[str, Callable[..., list[Expected]]] = {
    "restoration is confirmed within the time that the plan gives": _confirmed,
    "nothing that was acknowledged is lost": _nothing_lost,
    "the bad seconds are within what {tier} may have in a year": _budget,
    "nobody was told by two leaders that a transaction is stored": _plainly("split-brain", "one leader at a time"),
    "the platform has changed its leader once at most": lambda plan: [
        Expected("failovers", "one change of leader at most", 1.0, ("INF-2",))
    ],
    "the platform has not changed its leader": lambda plan: [
        Expected("failovers", "no change of leader", 0.0, ("INF-2",))
    ],
    "customers are served again within the recovery time of {tier}": _recovery_time,
    "no more is lost than the recovery point of {tier} allows": _recovery_point,
    "transaction data was backed up at least as often as {tier} demands": _backup_frequency,
    "every health check answers within the time that the plan gives it": _health,
    "nothing that customers wrote after the mistake is missing": _plainly("salvage", "late writes are carried over"),
    "the database was restored to exactly the ordered point": _plainly("exactness", "ordered point", "PIT-3"),
    "the damage was found before anything was restored from it": _plainly(
        "damage-found", "sound backups", "PIT-1", "PIT-2"
    ),
    "the books agree with those from before the disaster": _plainly(
        "consistency", "the same books", "CON-1", "CON-2", "CON-3"
    ),
}
BY_DEEDS: dict[str, Callable[..., list[Expected]]] = {  # sentences that do something, and promise that it was done
    "the monitoring tells operations what has failed, within the time that the plan gives": _told,
    "customers are served by what is left, without a person": _within_confirmation(
        "automatic", "service without a person", "INF-2"
    ),
    "customers are served again by the platform itself": _within_confirmation(
        "self-recovery", "service once the fault has ended", "INF-2"
    ),
    "what has failed is started again": _plainly("back-in-rotation", "what had failed does its work again"),
    "that server takes requests again by itself": _plainly("back-in-rotation", "what had failed does its work again"),
    "that server says that it is well, and not ready": _plainly("honest-ready", "well, and not ready"),
    "every server says that it is well, and not ready": _plainly("honest-ready", "well, and not ready"),
    "the health verification names everything that fails": _plainly("told-all", "every failure is named"),
    "the release before is deployed again": _plainly("rolled-back", "the release before is deployed"),
    "who led before is a copy again": _within_confirmation("rejoined", "a copy again"),
    "the restored database is verified": _plainly("verified", "verified before it serves", "CON-2"),
    "the restored database is put in service": _plainly("in-service", "the restored database serves"),
}


def expected(sentences: Iterable[str], plan: Plan) -> list[Expected]:
    """Everything that the sentences of a scenario promise."""
    found = []
    for sentence in sentences:
        for pattern, promises in (SENTENCES | BY_DEEDS).items():
            parser = parsers.parse(pattern)
            if parser.is_matching(sentence):
                found += promises(plan, **(parser.parse_arguments(sentence) or {}))
    return found
