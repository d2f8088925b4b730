"""What any platform's backups are worth: one is restored into an empty place beside, and what is in it is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.features.sentences import Expected, Sentences
from harness.plan import Plan
from harness.restores.choice import DRAWN, NAMED, NEWEST, Asked
from harness.sentences.promises import of_tier, right
from harness.stacks.capabilities.backups import Kept

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

SENTENCES = Sentences()
given, when, promise = SENTENCES.given, SENTENCES.when, SENTENCES.promise
NEEDS = (Kept,)


@given("the backups of every database", needs=NEEDS)
def _of_every_database(scenario: ScenarioRun) -> None:
    scenario.begin()
    scenario.restores.of_all()


@given("the backups of the database {database}", needs=NEEDS)
def _of_one(scenario: ScenarioRun, database: str) -> None:
    scenario.begin()
    scenario.restores.of(database)


@when("the newest backup is restored into an empty place beside", needs=NEEDS)
@when("the newest backup of each is restored into an empty place beside", needs=NEEDS)
def _newest(scenario: ScenarioRun) -> None:
    scenario.restores.carry_out(Asked(NEWEST))


@when("the backup named {name} is restored into an empty place beside", needs=NEEDS)
def _named(scenario: ScenarioRun, name: str) -> None:
    scenario.restores.carry_out(Asked(NAMED, named=name))


@when("a backup that the auditor's seed draws is restored into an empty place beside", needs=NEEDS)
def _drawn(scenario: ScenarioRun) -> None:
    scenario.restores.carry_out(Asked(DRAWN))


@when("the newest backup is restored into an empty place beside, as of the point {point}", needs=NEEDS)
def _newest_as_of(scenario: ScenarioRun, point: str) -> None:
    scenario.restores.carry_out(Asked(NEWEST, point=point))


def _proved(plan: Plan) -> list[Expected]:
    """Each of what is looked at is a finding of its own."""
    return [
        one
        for finding, objective in (
            ("backup-identity", "the backup that was asked for"),
            ("restore-complete", "nothing was skipped"),
            ("pages-sound", "sound pages and indexes"),
            ("structure-sound", "a whole structure"),
            ("rows-proved", "rows as they have to be"),
        )
        for one in right(finding, objective)(plan)
    ]


def _left_alone(plan: Plan) -> list[Expected]:
    found = right("original-untouched", "the original as it was")(plan)
    return [*found, *right("place-removed", "nothing left of the copy")(plan)]


promise("it holds what it must", _proved, needs=NEEDS)
promise("each holds what it must", _proved, needs=NEEDS)
promise(
    "restoring it takes less than the recovery time of {tier}",
    lambda plan, tier: [of_tier(plan, tier, "rto", finding="restore-time", objective="RTO")],
    needs=NEEDS,
)
promise(
    "restoring each takes less than the recovery time of {tier}",
    lambda plan, tier: [of_tier(plan, tier, "rto", finding="restore-time", objective="RTO")],
    needs=NEEDS,
)
promise(
    "no more would be lost now than the recovery point of {tier} allows",
    lambda plan, tier: [of_tier(plan, tier, "rpo", finding="backup-age", objective="RPO")],
    needs=NEEDS,
)
promise(
    "it was recovered to that point, and no further",
    right("point-in-time", "the point that was ordered"),
    needs=NEEDS,
)
promise("the original stays as it was, and nothing is left of the copy", _left_alone, needs=NEEDS)
