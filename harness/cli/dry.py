"""`drdrill run --dry-run`: the whole plan of a run, and nothing touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import cast

import click

from drills.books import BOOKS
from drills.expectations import expected
from harness.catalog import Drill, Scenario, slug
from harness.plan import Plan
from harness.plan.lengths import in_words
from harness.procedures.books import SoundBooks
from harness.procedures.restore_database import RestoreDatabase
from harness.recorder import Memory
from harness.stacks import Stack
from harness.stacks.kinds import ENVIRONMENTS


def dry_run(drills: list[Drill], *, only: str, plan: Plan, stack: str) -> None:
    """Print sentences, procedure and objectives of each scenario; what it shares with another is printed once."""
    click.echo(f"plan: {plan.name}, version {plan.version}, sha256 {plan.digest}")
    click.echo(f"stack: {stack}, class of environment: {ENVIRONMENTS[stack]}; nothing is started or touched now")
    for drill in drills:
        first = _first_sentences(drill)
        click.echo(f"\n{drill.title}: each scenario begins with")
        for sentence in first:
            click.echo(f"  {sentence}")
        sentences, steps, judged = (_Part(name) for name in ("sentences", "steps", "judged"))
        for scenario in drill.scenarios:
            if not only or slug(scenario.title) == slug(only):
                click.echo(f"\n{scenario.title}")
                sentences.show(scenario.title, scenario.sentences[len(first) :])
                steps.show(scenario.title, _steps(scenario))
                judged.show(scenario.title, _judged(scenario, plan))


@dataclass
class _Part:
    """Lines that scenarios have one like the other: in full the first time, then by what differs, if little does."""

    name: str
    printed: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by the scenario's title

    def show(self, title: str, lines: tuple[str, ...]) -> None:
        for before, known in self.printed.items():
            other = [line for line, old in zip(lines, known, strict=False) if line != old]
            if len(lines) == len(known) and len(other) <= 1:
                click.echo(f"  {self.name} as in “{before}”" + (", but:" if other else ""))
                for line in other:
                    click.echo(f"    {line}")
                return
        self.printed[title] = lines
        click.echo(f"  {self.name}:")
        for line in lines:
            click.echo(f"    {line}")


def _first_sentences(drill: Drill) -> tuple[str, ...]:
    """What all scenarios begin with, up to where something happens."""
    together = zip(*(scenario.sentences for scenario in drill.scenarios), strict=False)
    same = takewhile(lambda each: len(set(each)) == 1 and not each[0].startswith("When "), together)
    return tuple(each[0] for each in same)


def _steps(scenario: Scenario) -> tuple[str, ...]:
    """From the same list that a run follows; the stack is not looked at until a step runs."""
    nothing = cast(Stack, None)
    sound = SoundBooks(last_id=0, lsn="0/0", timeline=1, figures={})
    mistaken = any("mistake" in sentence for sentence in scenario.sentences)
    restoration = RestoreDatabase(nothing, BOOKS, sound, Memory(), mistaken=mistaken)
    steps = enumerate(restoration.procedure().steps, 1)
    return tuple(f"{number:2}. [{step.phase}] {step.name}: {step.does}" for number, step in steps)


def _judged(scenario: Scenario, plan: Plan) -> tuple[str, ...]:
    """Each finding with its objective, and the demands of the plan that it answers."""
    lines = []
    for promise in expected([sentence.partition(" ")[2] for sentence in scenario.sentences], plan):
        limit = f"at most {in_words(promise.limit)}" if promise.limit is not None else "right or wrong"
        demands = f" ({', '.join(promise.demands)})" if promise.demands else ""
        lines.append(f"{promise.finding}: {promise.objective}, {limit}{demands}")
    return tuple(lines)
