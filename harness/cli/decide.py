"""`drdrill decide`: answer what an attended drill asks, from any shell."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from harness.cli import options
from harness.errors import Refused
from harness.plan.lengths import in_words
from harness.run import decisions
from harness.safety import running
from harness.system import clock
from harness.system.operator import operator_name


@click.command()
@click.argument("answer", required=False, type=click.Choice([decisions.YES, decisions.NO]))
@options.person("Who decides, as claimed; otherwise the login name.")
@options.evidence
def decide(*, answer: str | None, person: str, evidence: Path) -> None:
    """Answer the question that waits in the running drill; without an answer: show it.

    Exit codes: 0 answered, or shown; 3 no question waits, or somebody was faster.
    """
    folder = running.newest(evidence)
    question = decisions.open_question(folder) if folder else None
    if folder is None or question is None:
        what = "no drill is running" if folder is None else "no question waits in the running drill"
        raise Refused(f"{what} in {evidence.resolve()}", hint="`drdrill watch` shows when one is asked")
    waited = timedelta(seconds=round(clock.since(question.asked).total_seconds()))
    click.echo(f"the {question.role} was asked {in_words(waited)} ago: {question.question}")
    if answer is None:
        click.echo("answer it with `drdrill decide yes` or `drdrill decide no`")
        return
    name = person or operator_name()
    if not decisions.answer(folder, question, decisions.Decision(answer, by=name)):
        raise Refused("somebody else has answered it, or the drill has ended", hint="`drdrill watch` shows it")
    click.echo(f"{name} decides for the {question.role}: {answer}")
