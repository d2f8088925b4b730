"""`drdrill run`: the drills with a live view. The drills themselves are run by pytest, in a process of their own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.cli import consent, options
from harness.cli.dry import dry_run
from harness.cli.due import DUE, due_now, environment_of, must_make_sense, nothing_json
from harness.cli.list import declared_now
from harness.cli.messages import has_bridge, messages, tell_anybody
from harness.cli.prompt import Nobody, Person, ask_for_name, at_keyboard, must_have_a_terminal
from harness.cli.reached import by_which, said
from harness.cli.screen import Screen, closing, exit_of, left_of, must_not_be_aborted, must_not_be_refused
from harness.cli.with_reports import begin, heal_run
from harness.errors import DrillError, Exit, Refused
from harness.evidence import receipts
from harness.evidence.keys import fingerprint, key_path, signing_key
from harness.features import catalog
from harness.features.catalog import CADENCES
from harness.project import COLLECTOR, PLUGIN, Project
from harness.run.run import new_id
from harness.run.sabotage import NONE, Sabotage, Twin
from harness.run.suited import must_leave_whole, suited
from harness.safety import block, stopping
from harness.safety.owner.consent import Given
from harness.safety.standing import Standing
from harness.stacks.brought_up import BroughtUp
from harness.stacks.capabilities.messaging import Messaged
from harness.stacks.kinds import USUAL, Kind
from harness.system.command import LABEL
from harness.system.environment import for_new_run, for_stores
from harness.system.operator import operator_name

LOOKS = timedelta(milliseconds=200)


@dataclass(frozen=True)
class RunRequest:
    """What is to be run."""

    project: Path  # its folder
    evidence: Path
    drill: str = ""  # by name; several with commas between
    only: str = ""
    stack: Kind = USUAL
    level: str | None = None
    scale: float = 1.0
    nonce: str = ""
    sabotage: str = ""
    stream: str = ""
    rehearsal: bool = False
    given: Given = field(default_factory=Given)  # to the owner of a platform
    decides: str = ""  # attended: who decides, as claimed
    on: BroughtUp | None = None  # the stack that stands and is drilled; None: the run makes its own

    @property
    def _which_stack(self) -> str:
        """By its name, or by its file; of a platform that stands its folder says it."""
        if self.stack.file is None:
            return self.stack.name
        return "" if self.on else str(self.stack.file)

    def words(self, run: str) -> list[str]:
        """pytest's command line for it: no settings and no conftest.py of the folder that somebody stands in decide."""
        chosen = {
            "--project": str(self.project),
            "--drill": self.drill,
            "--only": self.only,
            "--stack": self._which_stack,
            "--sandbox": self.level or "",
            "--scale": str(self.scale),
            "--nonce": self.nonce,
            "--sabotage": self.sabotage,
            "--stream": self.stream,
            "--evidence": str(self.evidence.resolve()),
            "--run-id": run,
            "--on": str(self.on.folder) if self.on else "",
        }
        given = [f"{name}={value}" for name, value in chosen.items() if value]
        given += ["--attended"] if self.decides else []
        given += ["--rehearsal"] if self.rehearsal else []
        alone = ["-c", os.devnull, f"--rootdir={COLLECTOR.parent}", "--noconftest", "-p", "no:cacheprovider"]
        return [sys.executable, "-m", "pytest", "-p", PLUGIN, *alone, "-q", *given, str(COLLECTOR)]


@click.command()
@click.argument("name")
@click.option("--or", "otherwise", default="", metavar="NAME", help="With `due`: what to run when nothing is due.")
@click.option("--only", default="", metavar="SCENARIO", help="Only this scenario, by its title.")
@options.stack
@options.level
@options.scale
@click.option(
    "--on",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Drill the stack that `drdrill stack up` has brought up there, and leave it running, healed and steady.",
)
@click.option("--nonce", default="", help="A word chosen by an auditor; it goes into the first line of the journal.")
@click.option("--stream", default="", help="The stream of the plan whose next number the run has.  [default: main]")
@click.option("--rehearsal", is_flag=True, help="It counts for nothing: the pack and every verdict say so.")
@click.option("--sabotage", default="", metavar="TWIN", help="Break the recovery on purpose, as `drdrill prove` does.")
@click.option("--attended", is_flag=True, help="Ask people, on this terminal, for the decisions the plan gives them.")
@options.person("With --attended: who decides, as claimed; otherwise you are asked.")
@consent.options
@click.option("--dry-run", "dry", is_flag=True, help="Print the whole plan of the run, touch nothing.")
@options.evidence
@options.as_json
@options.project
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    project: Project,
    name: str,
    otherwise: str,
    only: str,
    stack: str,
    level: str | None,
    scale: float,
    on: Path | None,
    nonce: str,
    stream: str,
    rehearsal: bool,
    sabotage: str,
    attended: bool,
    person: str,
    dry: bool,
    evidence: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Run the drill NAME, all drills of a cadence (monthly), or what the calendar says is due (due)."""
    must_make_sense(name, otherwise=otherwise, only=only, sabotage=sabotage, rehearsal=rehearsal)
    stream = project.load_plan().stream(stream)
    chosen = (
        _due(project, evidence, otherwise, on=environment_of(project, stack, on), quiet=as_json)
        if name == DUE
        else choose(project, name, only)
    )
    if not chosen:
        return
    twin = _twin(project, sabotage)
    if len(nonce) > 200 or not nonce.isprintable():
        raise Refused("the nonce is not a word of at most 200 printable letters", hint="give fewer, printable letters")
    standing, kind, scale = _stack(context, project, on, sabotage=twin.sabotage if twin else NONE)
    if twin:
        must_be_breakable([twin], kind, level)
    if attended and as_json:
        raise Refused("--attended asks on the terminal", hint="leave --json out")
    if person and not attended:
        raise Refused("--as is the name of whoever decides", hint="add --attended, or leave --as out")
    request = RunRequest(
        project=project.folder,
        evidence=evidence,
        drill=",".join(drill.name for drill in chosen),
        only=only,
        stack=kind,
        level=level,
        scale=scale,
        nonce=nonce,
        sabotage=sabotage,
        stream=stream,
        rehearsal=rehearsal,
        on=standing,
        given=consent.given(given, [drill.name for drill in chosen]),
    )
    if dry and as_json:
        raise Refused("--dry-run prints text", hint="leave --json out; `drdrill list --json` has the scenarios")
    wanted = [each for drill in chosen for each in drill.scenarios if not only or each.name == catalog.name_of(only)]
    known, the_plan = project.sentences, project.load_plan()
    if dry:
        if name != DUE:
            options.say_which(project)
        offer = standing.offer(kind) if standing else kind.offer(level=level)
        lacking = partial(project.lacking, offer=offer)
        dry_run(
            chosen, known, only=only, plan=the_plan, stack=kind, lacking=lacking, attended=attended, on=standing,
            messages=messages(
                project, the_plan, wanted, real=by_which(kind), attended=attended,
                stands_in=Messaged in kind.maker.has,
            ),
            declared=partial(declared_now, project, the_plan, kind.environment),
        )  # fmt: skip  # arguments in groups
        return
    if attended:
        request = _attended(request, person, calls=has_bridge(the_plan) and tell_anybody(project, wanted))
    if not as_json and name != DUE:  # what is due was said, and of which project
        block.must_be_free(evidence)
        options.say_which(project)
    request = replace(request, given=consent.asked(request.given, kind, ask=not as_json))
    pack = carry_out(request, quiet=as_json)
    found = json.loads((pack / "findings.json").read_text())
    told = [receipt.line for receipt in receipts.both(pack)]
    if as_json:
        click.echo(json.dumps({"pack": str(pack), "receipts": told, "stack_left": left_of(pack), **found}, indent=1))
    else:
        closing(pack)
        click.echo(f"receipt:  {told[-1]}")
        click.echo(
            f"          (for your auditor, now, as that of the start; both are in {pack.parent / receipts.NAME})"
        )
        click.echo(f"verify:   drdrill verify {shlex.quote(str(pack))} --key {fingerprint(signing_key().public_key())}")
        click.echo(f"          (the fingerprint of your key {key_path()}: give it to auditors by another way)")
    must_not_be_aborted(pack)
    must_not_be_refused(pack)
    context.exit(exit_of(pack))


def _attended(request: RunRequest, person: str, *, calls: bool) -> RunRequest:
    """With who decides; `calls`: people will be called to the bridge. Errors: `Refused` where nobody can be asked."""
    must_have_a_terminal()
    block.must_be_free(request.evidence)
    request = replace(request, decides=person or ask_for_name(operator_name()))
    for line in said([], attended=calls and "bridge" not in by_which(request.stack)):
        click.echo(line)
    return request


def _stack(
    context: click.Context, project: Project, on: Path | None, *, sabotage: Sabotage
) -> tuple[BroughtUp | None, Kind, float]:
    """The stack that stands, where one is to be drilled; the kind; the size of the data set. Errors: `Refused`."""
    given = context.params
    if on is None:
        kind = project.kind(given["stack"])
        kind.maker.must_fit(level=given["level"])
        if kind.file is not None and options.was_given(context, "scale"):
            raise Refused("the size of a platform is what it is", hint="leave --scale out")
        if place := kind.maker.stands:
            must_leave_whole(sabotage, kind.name)
            return BroughtUp(place), kind, 1.0
        return None, kind, given["scale"]
    scale = given["scale"] if options.was_given(context, "scale") else None
    standing, kind = suited(
        on, project=project.folder, kind=project.kind, stack=given["stack"], level=given["level"], scale=scale,
        sabotage=sabotage,
    )  # fmt: skip  # arguments in groups
    return standing, kind, standing.scale


def _twin(project: Project, name: str) -> Twin | None:
    """The sabotage of that name; None where none is asked for. Errors: `Refused` where there is none."""
    found = project.twin(name) if name else None
    if name and found is None:
        twins = ", ".join(twin.name for twin in project.all_twins()) or "none"
        raise Refused(f"there is no sabotage {name!r}", hint=f"there are: {twins}")
    return found


def _due(project: Project, evidence: Path, otherwise: str, *, on: str, quiet: bool) -> list[catalog.Drill]:
    """What is due there, else what was asked for then, else nothing; says why. Errors: `Refused` as `choose`."""
    others = (
        choose(project, otherwise, "") if otherwise else []
    )  # a name that is none is told also where something is due
    names = due_now(project, evidence, on=on, quiet=quiet)
    if names:
        return [choose(project, name, "")[0] for name in names]
    if quiet and not others:
        click.echo(nothing_json(project, evidence, on=on))
    if others and not quiet:
        click.echo(f"run all the same: {', '.join(drill.title for drill in others)}")
    return others


def choose(project: Project, name: str, only: str) -> list[catalog.Drill]:
    """The drills that are meant. Errors: `Refused`, with what there is, when there is none."""
    calendar = project.load_plan().calendar
    built = project.drills()
    chosen = [drill for drill in built if name in (drill.name, drill.cadence)]
    if not chosen:
        waiting = [duty for duty in calendar if name in (duty.drill, duty.cadence)]
        if waiting:
            what = f"there are no {name} drills yet" if name in CADENCES else f"there is no drill {name}"
            why = "" if name in CADENCES else f": {waiting[0].not_built}"
            raise Refused(f"{what}{why}", hint="`drdrill list` shows which there are, and why not the others")
        names = ", ".join(drill.name for drill in built)
        raise Refused(f"there is no drill {name!r}", hint=f"`drdrill list` shows all; built are: {names}")
    titles = {scenario.name: scenario.title for drill in chosen for scenario in drill.scenarios}
    if only and catalog.name_of(only) not in titles:
        raise Refused(f"{name} has no scenario {only!r}", hint="; ".join(titles.values()))
    return chosen


def must_be_breakable(twins: Sequence[Twin], kind: Kind, level: str | None) -> None:
    """Errors: `Refused`, with every twin that takes what stacks of the kind have not, or that would reach people."""
    if any(twin.sabotage.telling for twin in twins) and (real := by_which(kind)):
        what = f"{', '.join(real)} is real on stacks of the kind {kind.name}: people would be told wrongly"
        raise Refused(what, hint="prove it on another kind of stack, or other twins: --twin")
    offer = kind.offer(level=level)
    lacking = {twin.name: offer.lacking(twin.sabotage.needs) for twin in twins}
    if said := [f"{name}: {'; '.join(map(str, lacks))}" for name, lacks in lacking.items() if lacks]:
        head = f"stacks of the kind {kind.name} cannot be sabotaged so: "
        raise Refused(head + "\n".join(said), hint="prove it on another kind of stack, or other twins: --twin")


def carry_out(request: RunRequest, *, quiet: bool) -> Path:
    """Run it, show it, and return the sealed pack.

    Errors: `DrillError` when no pack came of it, with the last words of pytest.
    """
    block.must_be_free(request.evidence)  # before an image is made for it
    request.stack.maker.prepare((lambda _: None) if quiet else click.echo)
    for line in said(by_which(request.stack)):
        click.echo(line, err=quiet)
    name = new_id()
    on = Standing(request.on, request.stack if request.stack.file else None) if request.on else None
    folder, lock = begin(
        request.evidence,
        name,
        project=request.project,
        kind=request.stack,
        viewer=os.getpid(),
        on=on,
        given=request.given,
    )
    pack = folder.with_name(name)
    with tempfile.TemporaryFile() as log:  # it has no name: a killed drdrill leaves nothing behind
        child = subprocess.Popen(
            request.words(name),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock, *(on.heirloom if on else ())],
            env={**(for_stores() if request.stack.file else {}), **for_new_run(), LABEL: name},  # how it is ended
            start_new_session=True,
        )
        os.close(lock)
        if on is not None:
            on.let_go()
        screen = Screen(folder, status=sys.stdout.isatty(), quiet=quiet)
        asked = at_keyboard(folder, request.decides) if request.decides else nullcontext(Nobody())
        with _ended_by_signal(), asked as person:
            _watch(child, folder, screen, person)
        if not pack.is_dir() and folder.is_dir():
            heal_run(folder, by="drdrill run")
        log.seek(0)
        words = log.read().decode(errors="replace").strip()
    if not pack.is_dir():
        raise why_no_pack(words, code=child.returncode)
    return pack


def why_no_pack(words: str, *, code: int) -> DrillError:
    """What pytest said before anything began, as one error: why it left, or the error it met, and never its count."""
    said = [line.strip() for line in words.splitlines() if line.strip()]
    left = [line.partition("Exit: ")[2] for line in said if "Exit: " in line]
    met = [line.removeprefix("E ").strip() for line in said if line.startswith("E ")]
    error = (left or met[-1:] or said[-1:] or ["the drill's process ended without a word"])[0]
    hint = next((line.removeprefix("HINT: ") for line in said if line.startswith("HINT: ")), "run `drdrill doctor`")
    failed = Refused if left and code == Exit.REFUSED else DrillError  # 3 is also pytest's own code for its failures
    return failed(error.strip("! "), hint=hint.rstrip("! "))


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGTERM is a Ctrl-C that says its name."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _watch(child: subprocess.Popen[bytes], folder: Path, screen: Screen, person: Person | Nobody) -> None:
    """Show the journal until the child has ended; Ctrl-C asks it to stop, and waits for it."""
    while True:
        try:
            ended = child.poll() is not None
            screen.look()
            if ended:
                break
            screen.show_status(person.prompt())
            person.wait(LOOKS)
        except KeyboardInterrupt as interrupt:
            click.echo("\nstopping: what is hurt is healed, and the pack is sealed; this takes some seconds", err=True)
            screen.live.stop()
            stopping.ask(folder, who=operator_name(), why=str(interrupt) or "Ctrl-C")
    screen.clear()
