"""One scenario under way: the verbs that the sentences of a feature are made of. Every verb records what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from harness import clock, decisions, wait
from harness.checks import Verdict
from harness.checks.judge import judge
from harness.checks.load import evidence
from harness.errors import Declined, NotInTime, NotReady
from harness.exposure import ExposureSampler
from harness.faults import Fault, Undo
from harness.faults.noop import Noop
from harness.procedures import Procedure
from harness.procedures.books import Books, SoundBooks
from harness.run import STEADY_LIMIT, Run, must_be_steady, quietly, steady
from harness.safety import undo
from harness.stacks import Stack
from harness.workload import Workload, outside
from harness.workload.rows import export_rows

DETECTION_LIMIT = timedelta(minutes=5)
LOOKS = timedelta(milliseconds=500)  # between two looks of a monitor
SETTLING = timedelta(seconds=5)  # good service must last this long after the verification
SETTLING_LIMIT = timedelta(seconds=45)
BASELINE = timedelta(seconds=2)  # of good service before anything is hurt
BASELINE_LIMIT = timedelta(seconds=60)
STALL = timedelta(seconds=20)  # for which a stalled archive is watched before anything is hurt
CYCLES = 2  # of archiving behind what customers wrote first, seen before anything is hurt: then exposure has a figure,
# and the last archived segment is not the first that customers wrote


class Scene:
    """A scenario from `begin` to `finish`."""

    def __init__(self, run: Run, *, name: str, title: str, tags: list[str], feature: str) -> None:
        self.run = run
        self.name = name
        self.journal = run.journal
        self.plan = run.plan
        self.sabotage = run.options.sabotage
        self.folder = run.folder / "scenarios" / name
        self.folder.mkdir(parents=True)
        self.origin = f"{run.id}/{name}"
        self._books: Books | None = None
        self._sound: SoundBooks | None = None
        self._workload: Workload | None = None
        self._sampler: ExposureSampler | None = None
        self._injected: list[tuple[Fault, Undo, Path]] = []
        self._in_service = False
        self._declined = False  # the recovery: nothing was carried out after it
        self.journal.record(
            "scenario.begin", scenario=name, title=title, tags=tags, feature=feature, settling=SETTLING.total_seconds()
        )

    @property
    def stack(self) -> Stack:
        return self.run.stack

    @property
    def sound(self) -> SoundBooks:
        """The last check of the books before the disaster."""
        assert self._sound is not None, "the feature must check the books first"
        return self._sound

    # Before

    def begin(self) -> None:
        """A steady stack and a fresh base backup. Errors: `NotReady`; nothing has been hurt then."""
        must_be_steady(self.stack, self.journal)
        backup = self.stack.backups.take()
        self.journal.record("backup", backup=backup.id, bytes=backup.size, begin_lsn=backup.begin_lsn)

    def check_books(self, books: Books) -> None:
        """The figures that the books are compared with afterwards."""
        with self.stack.cluster.connect() as connection:
            self._books, self._sound = books, books.check(connection)
        self.journal.record("figures", moment="before", figures=self._sound.figures)

    def serve_customers(self) -> None:
        """Customers in every zone, served, and what they write is archived. Errors: `NotReady`."""
        self._sampler = ExposureSampler(self.stack, self.journal)
        self._sampler.begin()
        self._workload = Workload(
            self.stack,
            self.journal,
            self.run.commands,
            self.folder,
            origin=self.origin,
            groups=[outside(0.0 if self.sabotage.idle else self.run.options.rate)],
            logs=self.run.folder / "logs" / self.name,
        )
        self._workload.begin()
        if not self.sabotage.idle:
            self._wait_for_baseline(self._workload, self._sampler)

    # What happens

    def inject(self, fault: Fault) -> None:
        """Write the undo, then the intent, then hurt, then ask for proof that it bit. Errors: `NotReady`."""
        if self.sabotage.toothless:
            fault = Noop()
        self.run.guardian.ensure()
        needed = fault.prepare(self.stack)
        self._injected.append((fault, needed, undo.write(self.run.folder, fault, needed)))
        self.journal.record(
            "fault.intent",
            fault=fault.name,
            settings=undo.settings(fault),
            undo=needed,
            harms_data=fault.harms_data,
            logical=fault.logical,
            lives=fault.lives.total_seconds(),
        )
        fault.inject(self.stack, needed)
        proof = fault.bit(self.stack, needed)
        self.journal.record("fault.bit", fault=fault.name, ok=bool(proof), proof=proof or "no effect was seen")
        if not proof:
            raise NotReady(f"{fault.name} did not bite: nothing can be said", hint="read its settings in the journal")

    def detect(self, look: Callable[[], str], *, by: str) -> None:
        """Wait until a monitor says, in words, that something is wrong. Errors: `NotInTime`."""
        with self.span("detect"):
            seen = wait.until(
                look,
                what=f"{by} notices",
                within=DETECTION_LIMIT,
                recorder=self.journal,
                every=LOOKS,
                hint="the disaster went unnoticed; that is a finding",
            )
            self.journal.record("detected", by=by, seen=seen, gap=LOOKS.total_seconds())

    def ask_database(self, question: Callable[[psycopg.Connection[Any]], list[str]]) -> list[str]:
        """Put a question to the leader, as a monitor would."""
        with self.stack.cluster.connect() as connection:
            return question(connection)

    def decide(self, question: str, *, role: str) -> None:
        """The plan gives it to people: attended they are asked, else a named stand-in decides at once.

        Errors: `Declined` when the answer is no, or when there is none in time.
        """
        self._declined = True  # until somebody says yes
        with self.span("decide"):
            within = decisions.time_for(min((left.expires for left in undo.pending(self.run.folder)), default=None))
            given = self.run.desk.ask(question, role=role, within=within)
            said = {"answer": given.answer} if given.attended else {}
            self.journal.record("decided", question=question, role=role, by=given.by, attended=given.attended, **said)
        if given.answer != decisions.YES:
            raise Declined(f"the {role} decided against it: {question}", hint="what was not recovered is UNKNOWN")
        self._declined = False

    def follow(self, procedure: Procedure, phase: str) -> None:
        """Run one phase of a procedure."""
        with self.span("verify" if phase == "verify" else "recover"):
            procedure.run(phase)
        if phase == "serve" and any(step.phase == phase for step in procedure.steps):
            self._in_service = True

    def verify_health(self, verification: Callable[[], bool]) -> None:
        """The plan's health verification, once the platform serves."""
        with self.span("verify"):
            verification()

    def export(self, moment: str, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        """Read the customers' rows of this scenario out of a database, and digest them."""
        assert self._books is not None, "the feature must check the books first"
        with connect() as connection:
            export_rows(
                connection,
                self._books,
                origin=self.origin,
                groups=list(self._workload.groups) if self._workload else [],
                folder=self.folder,
                moment=moment,
                recorder=self.journal,
            )

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """`detect`, `decide`, `recover`, `verify`: the parts of an RTO."""
        self.journal.record("span.begin", span=name)
        try:
            yield
        finally:
            self.journal.record("span.end", span=name)

    # After

    def expect(self, finding: str, *, objective: str, limit: timedelta | None, demands: tuple[str, ...]) -> None:
        """What a sentence promises; recorded before anything is hurt, judged from the journal at the end."""
        seconds = limit.total_seconds() if limit is not None else None
        self.journal.record("expect", finding=finding, objective=objective, limit=seconds, demands=list(demands))

    def finish(self, *, outcome: str, error: str = "") -> Verdict:
        """Let service settle, heal, end the customers, read their rows, and judge; a failed clean-up is recorded.

        Errors: KeyboardInterrupt when the run was stopped meanwhile; all that is above has been done then, too.
        """
        hurt = bool(self._injected)
        try:
            if outcome == "completed" and self._in_service:
                self._quietly("service did not settle", self._wait_for_service)
            with self.run.listener.shield():
                self._heal()
            if outcome not in ("stopped", "aborted") and hurt and not self._declined:
                within = STEADY_LIMIT if self._in_service else timedelta(0)  # nothing comes back that nobody started
                self._quietly("not steady", lambda: steady(self.stack, self.journal, moment="after", within=within))
        except KeyboardInterrupt:
            outcome = "stopped"
        with self.run.listener.shield():
            self._heal()
            left = outcome == "aborted" or self._declined
            stopped = outcome == "stopped" or self.run.listener.stopping
            self._end(looked=not ((stopped or left) and hurt and not self._in_service))
            if stopped:
                request = self.run.listener.why()
                self.journal.record("stopped", who=request.who, why=request.why)
            outcome = "stopped" if stopped else outcome
            self.journal.record("scenario.end", scenario=self.name, outcome=outcome, error=error)
            return Verdict.of(judge(next(found for found in evidence(self.run.folder) if found.scenario == self.name)))

    def _heal(self) -> None:
        while self._injected:
            fault, needed, path = self._injected.pop()
            wrong = quietly(lambda fault=fault, needed=needed: fault.heal(self.stack, needed))  # type: ignore[misc]
            self.journal.record("fault.healed", fault=fault.name, ok=not wrong, by="harness", seen=wrong or "healed")
            if not wrong:
                undo.healed(path)

    def _end(self, *, looked: bool) -> None:
        """`looked`: rows and books are read; what was hurt, and left before it was recovered, says nothing."""
        if self._workload is not None:
            self._quietly("customers ended badly", self._workload.end)
        if self._workload is not None and looked:
            self._quietly("rows cannot be read", lambda: self.export("final", self.stack.cluster.connect))
            self._quietly("books cannot be checked", self._check_books_again)
        if self._sampler is not None:
            self._sampler.end()

    def _check_books_again(self) -> None:
        assert self._books is not None
        with self.stack.cluster.connect() as connection:
            found = self._books.check(connection, last_id=self.sound.last_id)
        self.journal.record("figures", moment="after", figures=found.figures)

    def _quietly(self, what: str, action: Callable[[], object]) -> None:
        if wrong := quietly(action):
            self.journal.record("failed", what=what, error=wrong)

    def _wait_for_service(self) -> None:
        assert self._workload is not None
        workload, verified = self._workload, clock.mono()
        wait.until(
            lambda: workload.good_for(SETTLING, after=verified),
            what=f"good service for {SETTLING.total_seconds():g} s after the verification",
            within=SETTLING_LIMIT,
            recorder=self.journal,
        )

    def _wait_for_baseline(self, workload: Workload, sampler: ExposureSampler) -> None:
        length = max(BASELINE, self.sabotage.earlier + timedelta(seconds=10) if self.sabotage.earlier else BASELINE)
        try:
            wait.until(
                lambda: workload.good_for(BASELINE) and sampler.now(),
                what="customers are served in every zone",
                within=BASELINE_LIMIT,
                recorder=self.journal,
            )
            written = sampler.now()
            wait.until(
                lambda: workload.good_for(length) and sampler.cycles(beyond=written) >= CYCLES,
                what="what they write is archived",
                within=BASELINE_LIMIT + length,
                recorder=self.journal,
                last_seen=sampler.words,
            )
            if self.sabotage.archiving == "stalls":
                self.stack.stall_archiving()
                wait.until(
                    lambda: sampler.open_age() >= STALL,
                    what=f"a write has waited {STALL.total_seconds():g} s for the archive",
                    within=STALL * 3,
                    recorder=self.journal,
                )
        except NotInTime as error:
            raise NotReady(f"not steady, nothing was hurt: {error.message}", hint="read the archive's log") from None
