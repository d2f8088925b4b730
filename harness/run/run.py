"""One run: a journal, a stack, and scenarios one after another; at the end a sealed pack.

What a run does: steady, hurt, detect, decide, recover, verify, heal, settle, seal.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.checks import RULES
from harness.communications import kept_out
from harness.errors import DrillError, quietly
from harness.evidence import aliases, receipts
from harness.evidence.journal import Journal
from harness.evidence.places import places
from harness.evidence.redact import Redactor
from harness.evidence.run_folder import STACK_FOLDER, UNFINISHED, keep_logs, lengths
from harness.evidence.scan import clean_logs
from harness.evidence.seal import newest
from harness.plan import Plan
from harness.run import code
from harness.run.code import Drilled
from harness.run.decisions import Attended, Desk, StandIn
from harness.run.described import described, regions
from harness.run.sabotage import NONE, Sabotage
from harness.safety import undo
from harness.safety.guardian import Guardian
from harness.safety.healing import by_removal, record
from harness.safety.owner.owner import Owner
from harness.safety.stopping import Listener
from harness.stacks import Condition, Stack
from harness.stacks.brought_up import BroughtUp
from harness.stacks.capabilities import need
from harness.stacks.capabilities.components import Startable
from harness.stacks.kinds import FILE, USUAL, Kind
from harness.stacks.real import kept_out as kept_out_of
from harness.system import clock, modules, wait
from harness.system.command import Commands, end_left
from harness.system.operator import operator_name
from harness.workload.handed import secrets_of

LEFT_LIMIT = timedelta(seconds=90)  # for a stack that is left to be steady again
STOPPED_LIMIT = timedelta(seconds=30)
LOOKS = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Options:
    """What the user chose for a run."""

    evidence: Path
    stack: Kind = USUAL
    on: Path | None = None  # the folder of a stack that was brought up before; None: the run makes one, and removes it
    scale: float = 1.0
    nonce: str = ""
    regions: int = 1  # of a stack that the run makes: as many as one of its scenarios needs
    rate: float = 50.0  # transactions a second from outside; several regions share them
    sabotage: Sabotage = NONE
    sabotage_name: str = ""
    stream: str = "main"  # the series whose next number the run has
    rehearsal: bool = False  # it counts for nothing
    attended: bool = False  # people are asked for the decisions that the plan gives to them


def new_id() -> str:
    """`20261123-205501-3f9a`: UTC, and four letters that tell two runs of one second apart."""
    return f"{clock.now().utc:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Run:
    """A run under way. The folder exists, the guardian watches, and we stand inside the sandbox."""

    def __init__(
        self,
        folder: Path,
        options: Options,
        plan: Plan,
        *,
        level: str,
        project: Drilled,
        guardian: Guardian,
        listener: Listener,
    ) -> None:
        self.folder = folder
        self.id = folder.name.removesuffix(UNFINISHED)
        self.options = options
        self.plan = plan
        self.level = level
        self.project = project
        self.client = project.client
        self.health = project.health
        self.books = project.books
        self.guardian = guardian
        self.listener = listener
        stands = BroughtUp(options.on) if options.on else None
        self.offer = stands.offer(options.stack, level=level) if stands else options.stack.offer(level=level)
        self._private = kept_out.begin(folder, project.contacts)
        self._aliases = options.stack.maker.aliases
        self.redactor = Redactor(self._private, places=places(folder), aliases=self._aliases)
        self.journal = Journal.create(folder, redactor=self.redactor)
        self.commands = Commands(self.journal, label=self.id)
        self.desk: Desk = Attended(folder, self.journal) if options.attended else StandIn()
        self.nonce = options.nonce or secrets.token_hex(16)  # what is drawn in this run follows from it
        self._stack: Stack | None = None
        self._spoilt = 0  # stacks that a scenario has left otherwise than the next one needs
        self.owner = Owner(folder, options.stack, self.journal)
        self._broken = ""  # what broke first as one of them was ended
        self._logs: dict[str, int] = {}  # how long each was when the run came to a stack that stood
        self.planned: list[str] = []  # the scenarios of the first line
        self.ended: list[str] = []  # those that have their last line

    def begin(self, drills: Sequence[str], scenarios: Sequence[str]) -> None:
        """Write the journal's first line; copy plan and features as they are now."""
        self.owner.must_be_slow_enough(self.rate)
        self.planned = list(scenarios)
        shutil.copyfile(self.plan.path, self.folder / "plan.yaml")
        self.options.stack.maker.tell(self.folder / FILE)
        hidden = shutil.ignore_patterns(".*")  # what editors leave, such as links that lead nowhere
        shutil.copytree(self.project.features, self.folder / "features", dirs_exist_ok=True, ignore=hidden)
        aliases.must_not_be_named(self.folder, self.redactor.aliases)
        receipts.must_be_writable(self.folder.parent)
        number, previous = newest(self.options.evidence, stream=self.options.stream)
        self.journal.record(
            "run.begin",
            run=self.id,
            stream=self.options.stream,
            number=number + 1,
            previous=previous,
            drill=list(drills),
            scenarios=self.planned,
            streams=list(self.plan.streams),
            stack=self.options.stack.name,
            sandbox=self.level,
            environment=self.options.stack.environment,
            digests=code.digests(
                self.plan,
                self.folder / "features",
                contacts=self.project.contacts,
                stack_file=self.folder / FILE if self.options.stack.file else None,
            ),
            harness=code.machine(),
            project=code.project(self.project),
            rules=RULES,
            operator=operator_name(),
            boot=clock.boot(),
            nonce=self.nonce,
            nonce_by="auditor" if self.options.nonce else "harness",
            sabotage=self.options.sabotage_name or None,
            rehearsal=self.options.rehearsal,
            scale=self.options.scale,
            rate=self.rate,
            clock={"name": "machine", "compression": 1},
            host={
                "cpus": os.cpu_count(),
                "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
                "kernel": platform.release(),
                "python": platform.python_version(),
            },
            packages=code.packages(),
        )
        self.owner.announce()
        receipts.add(self.folder.parent, receipts.begun(self.folder))

    @property
    def rate(self) -> float:
        """Transactions a second, of all customers outside together: no more than the client says."""
        most = self.client.rate
        return self.options.rate if most is None else min(self.options.rate, most)

    @property
    def stack(self) -> Stack:
        """The stack, started at first use, or attached to where it stands already; a new one where it was spoilt."""
        if self._stack is None:
            begin = clock.mono()
            kind, on = self.options.stack, self.options.on
            self.journal.record("stack.begin", kind=kind.name, regions=[], seconds=0.0, owned=on is None)
            if on is not None:
                stack = kind.maker.attach(on / STACK_FOLDER, recorder=self.journal)
            else:
                stack = kind.maker.open(
                    self.folder / STACK_FOLDER,
                    recorder=self.journal,
                    label=self.id,
                    scale=self.options.scale,
                    broken=self.options.sabotage.stack,
                    regions=self.options.regions,
                )
            self._stack = stack
            ask = secrets_of(stack)  # one that cannot be had is told before anything is started, and masked in any case
            self._private = self._private.union(kept_out_of(stack), map(ask, self.client.secrets))
            self.redactor = Redactor(self._private, places=places(self.folder), aliases=self._aliases)
            self.journal.keep_out(self.redactor)
            if on is None:
                need(stack, Startable).start()
            else:
                kind.maker.begin(stack)
                self._logs = lengths(stack.logs())
            kind.maker.must_answer(stack)
            self.journal.record(
                "stack.ready",
                kind=stack.kind,
                regions=regions(stack),
                seconds=clock.since(begin).total_seconds(),
                **described(stack),
            )
            self.owner.begin(stack)
        return self._stack

    def spoilt(self) -> None:
        """The stack is not steady, and the next scenario would say only that: where it is the run's own, it is ended,
        and the next one has a new one. Its logs lie in a folder of their own."""
        if self._stack is None or self.options.on is not None or set(self.planned) <= set(self.ended):
            return
        self._spoilt += 1
        self.owner.pause()
        wrong = self._left_behind(self._stack, logs=self.folder / "logs" / f"stack-{self._spoilt}")
        self._broken = self._broken or wrong
        shutil.rmtree(self.folder / STACK_FOLDER, ignore_errors=True)
        self._stack = None

    def end(self, *, outcome: str, by: str) -> None:
        """End the stack, keep its logs, write the journal's last line. A stack that the run does not own is left.

        A run is not completed where a scenario that was planned has no end, whatever else went well.
        """
        self.owner.end(run=self.id)
        wrong = self._left_behind(self._stack, logs=self.folder / "logs") if self._stack is not None else ""
        broken = self._broken or wrong
        shutil.rmtree(self.folder / STACK_FOLDER, ignore_errors=True)
        left = [name for name in self.planned if name not in self.ended]
        if outcome == "completed" and left:
            broken = broken or f"never run to an end: {', '.join(left)}"
        if broken:
            self.journal.record("run.end", outcome="aborted", by=by, error=broken)
        else:
            self.journal.record("run.end", outcome=outcome, by=by)
        self.journal.close()

    def _left_behind(self, stack: Stack, *, logs: Path) -> str:
        """Keep the logs of the stack, and end it, or leave it; what of that broke first, in words: each is tried."""
        begin, owned = clock.mono(), self.options.on is None
        seen = [] if owned else self._settled(stack)
        tried = [self._quietly(lambda: keep_logs(stack.logs(), logs, since=self._logs))]
        clean_logs(self.folder / "logs", redactor=self.redactor)  # while the secrets are known, also to a heal
        if not owned:
            tried.append(self._quietly(lambda: self.options.stack.maker.end(stack)))
        if owned:
            wrong = self._quietly(need(stack, Startable).stop)
            ended = end_left(self.id)
            still = wrong and self._quietly(self._remove)
            if not still:
                self._removed(begin)
            tried += [wrong, still]
            seconds = clock.since(begin).total_seconds()
            self.journal.record("stack.end", kind=stack.kind, seconds=seconds, ended=ended)
        else:
            self.journal.record(
                "stack.left",
                kind=stack.kind,
                seconds=clock.since(begin).total_seconds(),
                steady=_all_hold(seen),
                conditions=[{"name": one.name, "ok": one.ok, "seen": one.seen} for one in seen],
            )
        return next(filter(None, tried), "")

    def _remove(self) -> None:
        """As whoever heals a killed run does."""
        self.options.stack.maker.remove_left(self.id, self.folder / STACK_FOLDER)

    def _quietly(self, action: Callable[[], object]) -> str:
        """As `quietly`, with the line of the project's own code that broke."""
        try:
            action()
        except DrillError as error:
            return error.message
        except Exception as error:
            return modules.what_broke(error, self.project.folder)
        return ""

    def _settled(self, stack: Stack) -> list[Condition]:
        """The conditions of the stack that is left, when all hold or it has had its time. Whoever asks a run to stop
        waits less: the guardian ends it. What is left hurt waits for a person."""
        within = STOPPED_LIMIT if self.listener.stopping else LEFT_LIMIT
        within = timedelta(0) if undo.pending(self.folder) else within
        seen: list[Condition] = []
        wrong = quietly(lambda: seen.extend(wait.poll(stack.steady, within=within, every=LOOKS, enough=_all_hold)))
        return [*seen, Condition("answers", ok=False, seen=wrong)] if wrong else seen

    def _removed(self, begun: int) -> None:
        """What was not healed went with the stack: the last resort, and said so."""
        for left in undo.pending(self.folder):
            whose = undo.earlier_scenario(left, self.journal.lines())
            healing = by_removal("it was not healed", begun=begun)
            record(self.journal, healing, injection=left.injection, fault=left.fault, by="harness", scenario=whose)
            undo.healed(left.path)


def _all_hold(conditions: Iterable[Condition]) -> bool:
    """Where nothing is named, nothing is known to hold."""
    found = [condition.ok for condition in conditions]
    return bool(found) and all(found)
