"""`drdrill run --dry-run`: the whole plan of a run, and nothing touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile

import click

from harness.faults import table
from harness.features.catalog import Drill, Scenario, Sentence, name_of
from harness.features.sentences import Sentences
from harness.plan import Plan
from harness.plan.lengths import in_words
from harness.safety.owner.file import said_of
from harness.stacks.attached import commands
from harness.stacks.brought_up import BroughtUp
from harness.stacks.capabilities.database import FailsOver
from harness.stacks.kinds import Kind
from harness.stacks.needs import Lack, Lacking, either


def dry_run(
    drills: list[Drill],
    known: Sentences,
    *,
    only: str,
    plan: Plan,
    stack: Kind,
    lacking: Callable[[Scenario], Sequence[Lack]],
    attended: bool = False,
    on: BroughtUp | None = None,
    messages: Sequence[str] = (),
    declared: Callable[[Scenario], str] = lambda _: "",
) -> None:
    """Print sentences, procedure and objectives of each scenario; what it shares with another is printed once.

    What the stack is `lacking` is said of each, and with `attended` also which decisions will be asked, and of whom.
    `on`: the stack that stands and would be drilled. `messages`: lines that show what would be sent. `declared`: who
    has declared, for now, that this stack cannot run a scenario; empty where nobody has.
    """
    click.echo(f"plan: {plan.name}, version {plan.version}, sha256 {plan.digest}")
    click.echo(f"stack: {stack.name}, class of environment: {stack.environment}; nothing is started or touched now")
    if on is not None:
        click.echo(f"it stands in {on.folder}, is attached to, and stays: whether it is free and steady is asked then")
    click.echo("".join(f"{line}\n" for line in stack.maker.restores), nl=False)
    lacks = Lacking(stack.name)
    for drill in drills:
        first = _first_sentences(drill)
        click.echo(f"\n{drill.title}{': each scenario begins with' if first else ''}")
        for sentence in first:
            click.echo(f"  {sentence}")
        sentences, acted, steps, judged = (_Part(name) for name in ("sentences", "acts", "steps", "judged"))
        for scenario in drill.scenarios:
            if not only or scenario.name == name_of(only):
                click.echo(f"\n{scenario.title}")
                lacked = lacking(scenario)
                for line in lacks.line(lacked):
                    click.echo(f"  {line}")
                if lacked and (by := declared(scenario)):
                    click.echo(f"  the verdict of the run leaves it out: {by}")
                sentences.show(scenario.title, tuple(map(str, scenario.sentences[len(first) :])))
                if attended:
                    _decisions(scenario, known)
                if acts := _acts(scenario, known, stack):
                    acted.show(scenario.title, acts)
                if listed := _steps(scenario, known):
                    steps.show(scenario.title, listed)
                judged.show(scenario.title, _judged(scenario, known, plan))
    for line in lacks.end():
        click.echo(line)
    for line in ("", *messages) if messages else ():
        click.echo(line)


@dataclass
class _Part:
    """Lines that scenarios have one like the other: in full the first time, then by what differs, if little does."""

    name: str
    printed: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by the scenario's title

    def show(self, title: str, lines: tuple[str, ...]) -> None:
        for before, known in self.printed.items():
            changed = [(line, old) for line, old in zip(lines, known, strict=False) if line != old]
            if len(lines) == len(known) and len(changed) <= 1:
                click.echo(f"  {self.name} as in “{before}”" + (", but:" if changed else ""))
                for line, old in changed:
                    click.echo(f"    {line}")
                    click.echo(f"    and without: {old}")
                return
        self.printed[title] = lines
        click.echo(f"  {self.name}:")
        for line in lines:
            click.echo(f"    {line}")


def _first_sentences(drill: Drill) -> tuple[Sentence, ...]:
    """What all scenarios begin with, up to where something happens."""
    together = zip(*(scenario.sentences for scenario in drill.scenarios), strict=False)
    same = takewhile(lambda each: len(set(map(str, each))) == 1 and each[0].kind != "when", together)
    return tuple(each[0] for each in same)


def _decisions(scenario: Scenario, known: Sentences) -> None:
    asked = known.approvals(scenario.sentences)
    for question, role in asked:
        click.echo(f"  the {role} is asked: {question}")
    if not asked:
        click.echo("  nobody is asked for a decision")


def _acts(scenario: Scenario, known: Sentences, stack: Kind) -> tuple[str, ...]:
    """What would be done to a platform of somebody else, each with its inverse. Nothing is asked of it."""
    said = said_of(stack)
    if said is None:
        return ()
    lines: list[str] = []
    for sentence, meant in known.meant(scenario.sentences):
        faults = meant.hurts(**(meant.filled(sentence.text) or {})) if meant.hurts else ()
        lines += [line for fault in faults for line in commands.of_fault(said, fault, table.to_disk(fault))]
        if meant.injects and not faults:
            among = meant.among(**(meant.filled(sentence.text) or {})) if meant.among else None
            lines += commands.of_some(said, meant.injects, among=among)
        if any(FailsOver in either(need) for need in meant.needs):
            lines += commands.of_failover(said)
    return tuple(lines)


def _steps(scenario: Scenario, known: Sentences) -> tuple[str, ...]:
    """From the same lists that a run follows; the stack is not looked at until a step runs."""
    steps = [step for procedure in known.procedures(scenario.sentences) for step in procedure.steps]
    return tuple(f"{number:2}. [{step.phase}] {step.name}: {step.does}" for number, step in enumerate(steps, 1))


def _judged(scenario: Scenario, known: Sentences, plan: Plan) -> tuple[str, ...]:
    """Each finding with its objective, and the demands of the plan that it answers."""
    lines = []
    for promise in known.expected(scenario.sentences, plan):
        limit = "right or wrong"
        if promise.limit is not None:
            given = promise.limit
            limit = f"at most {in_words(given) if isinstance(given, timedelta) else f'{given:g}'}"
        demands = f" ({', '.join(promise.demands)})" if promise.demands else ""
        lines.append(f"{promise.finding}: {promise.objective}, {limit}{demands}")
    return tuple(lines)
