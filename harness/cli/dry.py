"""`drdrill run --dry-run`: the whole plan of a run, and nothing touched."""

from __future__ import annotations

from typing import cast

import click

from drills.books import BOOKS
from drills.expectations import expected
from harness.catalog import Drill, slug
from harness.plan import Plan
from harness.plan.lengths import in_words
from harness.procedures.books import SoundBooks
from harness.procedures.restore_database import RestoreDatabase
from harness.recorder import Memory
from harness.stacks import Stack
from harness.stacks.kinds import ENVIRONMENTS


def dry_run(drills: list[Drill], *, only: str, plan: Plan, stack: str) -> None:
    """Print sentences, procedure and objectives of each scenario."""
    click.echo(f"plan: {plan.name}, version {plan.version}, sha256 {plan.digest}")
    click.echo(f"stack: {stack}, class of environment: {ENVIRONMENTS[stack]}; nothing is started or touched now")
    for drill in drills:
        for scenario in drill.scenarios:
            if only and slug(scenario.title) != slug(only):
                continue
            click.echo(f"\n{drill.title}: {scenario.title}")
            for sentence in scenario.sentences:
                click.echo(f"  {sentence}")
            _procedure(mistaken=any("mistake" in sentence for sentence in scenario.sentences))
            texts = [sentence.partition(" ")[2] for sentence in scenario.sentences]
            for promise in expected(texts, plan):
                limit = f"at most {in_words(promise.limit)}" if promise.limit is not None else "right or wrong"
                click.echo(f"  judged: {promise.finding} ({promise.objective}: {limit}; {', '.join(promise.demands)})")


def _procedure(*, mistaken: bool) -> None:
    """The steps, from the same list that a run follows; the stack is not looked at until a step runs."""
    nothing = cast(Stack, None)
    sound = SoundBooks(last_id=0, lsn="0/0", figures={})
    restoration = RestoreDatabase(nothing, BOOKS, sound, Memory(), mistaken=mistaken)
    for number, step in enumerate(restoration.procedure().steps, 1):
        click.echo(f"  step {number:2}. [{step.phase}] {step.name}: {step.does}")
