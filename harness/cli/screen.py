"""A run on the screen: its journal as lines, and under them, on a terminal, one line that says what goes on now."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.checks import Outcome
from harness.cli.exits import EXITS
from harness.cli.live import Follower, Live
from harness.errors import DrillError, Exit, Refused
from harness.evidence.lines import NAME as JOURNAL
from harness.evidence.lines import read
from harness.evidence.run_folder import KEPT_PLACES, heal_on
from harness.run import tasks
from harness.safety import left_hurt, stopping, undo
from harness.stacks import brought_up
from harness.system import modules
from harness.system.later import fetch
from reports.run.text import summary
from reports.words import clean


class Screen:
    """`quiet`: nothing is shown. `status`: there is a terminal, so that the last line can be written again."""

    def __init__(self, folder: Path, *, status: bool, quiet: bool = False) -> None:
        self.folder = folder
        self.status = status and not quiet
        self._say: Callable[[str], None] = (lambda _: None) if quiet else click.echo
        self._mute = False
        self._told: set[str] = set()  # tasks of people that were shown
        self.live = Live(folder, say=self._line)
        self._follower = Follower(folder)

    def catch_up(self) -> None:
        """Take in what has happened so far, and say nothing about it."""
        self._mute = True
        self.look()
        self._mute = False

    def look(self) -> None:
        """Show what was added."""
        for line in self._follower.lines():
            self.clear()
            self.live.show(line)
        self._show_tasks()
        request = None if self.live.asked else stopping.asked(self.folder)
        if request:
            self.clear()
            self._line(f"asked to stop by {request.who}: {request.why}")
            self.live.stop()

    def _show_tasks(self) -> None:
        """Each once. They have telephone numbers: they are on the screen, and in no line of the journal."""
        for task in tasks.open_tasks(self.folder):
            if task.token not in self._told:
                self._told.add(task.token)
                self.clear()
                lines = [clean(line) for line in task.asks]
                self._line("\n".join(f"  {'?' if at == 0 else ' '} {line}" for at, line in enumerate(lines)))
                self._line(
                    f"    are they on it? yes or no, here or by `drdrill decide yes --for {shlex.quote(task.role)}`"
                )

    def show_status(self, prompt: str = "") -> None:
        """Write the last line again; `prompt` is what somebody types, and is never cut."""
        if self.status:
            room = columns() - len(prompt) - 1
            click.echo(f"\r\033[K{self.live.status()[: max(0, room)]}{prompt}", nl=False)

    def clear(self) -> None:
        if self.status:
            click.echo("\r\033[K", nl=False)

    def _line(self, text: str) -> None:
        if not self._mute:
            self._say(text)


def columns() -> int:
    try:
        return os.get_terminal_size().columns
    except OSError:
        return 100


def closing(pack: Path) -> None:
    """The verdict, and where the evidence is."""
    click.echo("")
    click.echo(summary(pack))
    click.echo(f"evidence: {pack}")
    click.echo(f"report:   {pack / 'index.html'}")
    if (kept := pack.parent / KEPT_PLACES / pack.name).is_dir():
        click.echo(f"kept:     {kept}: what was restored and not proved, to be looked at, and then removed by you")
    left = left_of(pack)
    if left is not None:
        wrong = "; ".join(f"{one['name']}: {one['seen']}" for one in left["conditions"] if not one["ok"])
        click.echo(f"stack:    left running, {'steady' if left['steady'] else f'NOT STEADY: {wrong}'}")
    elif ended := _ended_of(pack):
        click.echo(f"stack:    its `stop` had left {ended} processes, which were ended")
    if unhealed := left_hurt.said_in(pack):
        click.echo(f"NOT healed: {'; '.join(unhealed)}")
        seen = "; ".join(unhealed)
        ends = undo.only_a_recovery(seen)
        place = _place_of(pack)
        heal = heal_on(place) if place else "drdrill heal --on FOLDER"
        hint = undo.what_to_do("drdrill stack down" if ends else heal, seen)
        click.echo(f"HINT: {hint}{'' if ends or place else ', with the folder of the stack'}")


def _place_of(pack: Path) -> Path | None:
    """The folder of the stack that a run has left hurt; None where it is not known here: a pack does not say it."""
    near = [*brought_up.all_in(pack.parent), *fetch("harness.stacks.attached.place:hurt")()]
    return next((one.folder for one in near if any(name.startswith(f"{pack.name}-") for name in one.unhealed())), None)


def must_not_be_refused(pack: Path) -> None:
    """Errors: `Refused`, the last one of the run, where the owner of a platform did not let something be done and
    nothing else can be said. What is `MISSED` stays so."""
    refused = [line.data for line in read(pack / JOURNAL) if line.kind == "refused"]
    if refused and exit_of(pack) is Exit.UNKNOWN:
        raise Refused(str(refused[-1]["why"]), hint=str(refused[-1]["hint"]))


def exit_of(pack: Path) -> Exit:
    """The exit code that a pack's verdict gives; one that is met on a stack that was left hurt is not known."""
    found = EXITS[Outcome(json.loads((pack / "findings.json").read_text())["verdict"])]
    left = left_of(pack)
    return Exit.UNKNOWN if found is Exit.MET and left is not None and not left["steady"] else found


def left_of(pack: Path) -> dict[str, Any] | None:
    """What the run saw last of a stack that it left running; None where the stack was its own."""
    return _line(pack, "stack.left")


def _ended_of(pack: Path) -> int:
    """How many processes were left when the stacks of the run's own were gone."""
    return sum(int(line.data.get("ended", 0)) for line in read(pack / JOURNAL) if line.kind == "stack.end")


def _line(pack: Path, kind: str) -> dict[str, Any] | None:
    return next((line.data for line in read(pack / JOURNAL) if line.kind == kind), None)


def must_not_be_aborted(pack: Path) -> None:
    """Errors: `DrillError` where the harness itself failed: then the verdict says nothing about the plan."""
    lines = read(pack / JOURNAL)
    if lines[-1].data.get("outcome") == "aborted":
        said = [line.data.get("error") for line in lines if line.data.get("outcome") == "aborted"]
        what = str(said[0] or "the harness itself failed")
        todo = "mend that line" if what.startswith(modules.OWN) else "send it with a report of this error"
        raise DrillError(what, hint=f"what was measured before stands in {pack}: {todo}")
