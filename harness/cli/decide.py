"""`drdrill decide`: answer what an attended drill asks, from any shell."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

import click

from harness.cli import options
from harness.errors import Refused
from harness.plan.lengths import in_words
from harness.run import decisions, tasks
from harness.run.decisions import Decision
from harness.run.tasks import OpenTask
from harness.safety import running
from harness.system import clock
from harness.system.operator import operator_name
from reports.words import clean

FASTER = "somebody else has answered it, or nobody waits for it any more"
WATCH = "`drdrill watch` shows when one is asked"


@click.command()
@click.argument("answer", required=False, type=click.Choice([decisions.YES, decisions.NO]))
@click.option("--for", "role", default="", metavar="WHOM", help="Whether this role is on the conference bridge.")
@options.person("Who decides, as claimed; otherwise the login name.")
@options.evidence
def decide(*, answer: str | None, role: str, person: str, evidence: Path) -> None:
    """Answer the question that waits in the running drill; without an answer: show it.

    With --for: not a decision, but whether somebody whom people are to call is on the conference bridge.

    Exit codes: 0 answered, or shown; 3 no question waits, or somebody was faster.
    """
    folder, place = running.newest(evidence), evidence.resolve()
    if folder is None:
        raise Refused(f"no drill is running in {place}", hint=WATCH)
    waiting = [task for task in tasks.open_tasks(folder) if role in ("", task.role)]
    given = Decision(answer, by=person or operator_name()) if answer else None
    if role:
        _whether_reached(folder, waiting, role, given)
        return
    question = decisions.open_question(folder)
    if question is None and (given or not waiting):
        hint = f"whoever is to be called: {'; '.join(map(_command, waiting))}" if waiting else WATCH
        raise Refused(f"no question waits in the running drill in {place}", hint=hint)
    if question:
        click.echo(f"the {question.role} was asked {_ago(question.asked)} ago: {question.question}")
    if given is None:
        click.echo("answer it with `drdrill decide yes` or `drdrill decide no`" if question else "no decision waits")
        _show(waiting)
    elif question:
        if not decisions.answer(folder, question, given):
            raise Refused(FASTER, hint="`drdrill watch` shows it")
        click.echo(f"{given.by} decides for the {question.role}: {answer}")


def _whether_reached(folder: Path, waiting: list[OpenTask], role: str, given: Decision | None) -> None:
    if not waiting:
        raise Refused(f"nobody is to call the {role} now", hint="`drdrill decide` shows who is to be called")
    if given is None:
        _show(waiting)
        return
    if not tasks.answer(folder, waiting[0], given):
        raise Refused(FASTER, hint="`drdrill watch` shows it")
    click.echo(f"{given.by} says whether the {role} is on the bridge: {given.answer}")


def _show(waiting: list[OpenTask]) -> None:
    for task in waiting:
        click.echo(f"the {task.role} is to be called, since {_ago(task.given)}:")
        for line in task.does.splitlines():
            click.echo(f"  | {clean(line)}".rstrip())
        click.echo(f"are they on the bridge? {_command(task)}, or no")


def _ago(mono: int) -> str:
    return in_words(timedelta(seconds=round(clock.since(mono).total_seconds())))


def _command(task: OpenTask) -> str:
    return f"`drdrill decide yes --for {shlex.quote(task.role)}`"
