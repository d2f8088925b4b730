"""One scenario under way: the verbs that the sentences of a feature are made of. Every verb records what it did."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg

from harness.checks import Verdict
from harness.checks.judge import judge
from harness.checks.load import evidence
from harness.errors import Declined, NotInTime
from harness.faults import Fault
from harness.procedures import Procedure
from harness.procedures.books import Books, SoundBooks
from harness.run import decisions
from harness.run.run import STEADY_LIMIT, Run, must_be_steady, quietly, steady
from harness.safety import undo
from harness.scenario import observations as sights
from harness.scenario.active_faults import Injuries
from harness.scenario.alert_listener import Watch
from harness.scenario.baseline import wait_for_baseline
from harness.scenario.exposure import ExposureSampler
from harness.stacks import Member, Stack, Unfenced
from harness.system import clock, wait
from harness.workload.rows import export_rows
from harness.workload.workload import Group, Workload, outside

DETECTION_LIMIT = timedelta(minutes=5)
LOOKS = timedelta(milliseconds=500)  # between two looks of a monitor
SETTLING = timedelta(seconds=5)  # good service must last this long after the verification
SETTLING_LIMIT = timedelta(seconds=45)
AUTOMATIC = timedelta(seconds=2)  # of good service, by which the platform shows that it goes on without a person
AUTOMATIC_LIMIT = timedelta(seconds=60)
LEADS_LIMIT = timedelta(seconds=90)
REJOINS_LIMIT = timedelta(seconds=120)
ROOM = 100_000_000  # bytes; with less a database of the stack stops by itself


class Scene:
    """A scenario from `begin` to `finish`."""

    def __init__(self, run: Run, name: str) -> None:
        self.run = run
        self.name = name
        self.journal = run.journal
        self.plan = run.plan
        self.sabotage = run.options.sabotage
        self.folder = run.folder / "scenarios" / name
        self.origin = f"{run.id}/{name}"
        self._books: Books | None = None
        self._sound: SoundBooks | None = None
        self._workload: Workload | None = None
        self._sampler: ExposureSampler | None = None
        self._watch: Watch | None = None
        self.injuries = Injuries(run)
        self._declined = False  # the recovery: nothing was carried out after it
        self._verified = False  # that the platform is whole again: then service must settle
        self._led: Member | None = None  # who led before anything was hurt
        self._unfenced: Unfenced | None = None
        self._touched = False  # somebody has begun to repair or to end what was hurt
        self._full = False  # the disk that all of this lies on

    @property
    def stack(self) -> Stack:
        return self.run.stack

    @property
    def sound(self) -> SoundBooks:
        """The last check of the books before the disaster."""
        assert self._sound is not None, "the feature must check the books first"
        return self._sound

    @property
    def watch(self) -> Watch:
        """The ear at the alert receiver, from the steady state on."""
        assert self._watch is not None, "the feature must begin with a steady stack"
        return self._watch

    @property
    def led(self) -> Member:
        """Who led before anything was hurt."""
        assert self._led is not None, "nobody led"
        return self._led

    @property
    def leading_zone(self) -> str:
        """The zone of who led before anything was hurt."""
        return self.led.zone

    @property
    def copy_zones(self) -> list[str]:
        """The other zones, in order."""
        return [zone for zone in self.stack.zones if zone != self.leading_zone]

    # Before

    def announce(self, *, title: str, tags: list[str], feature: str) -> None:
        """The scenario's first line, and its folder. Errors: OSError where there can be none."""
        category = next((each.name for each in self.plan.categories.values() if set(each.demands) & set(tags)), "")
        self.journal.record(
            "scenario.begin", scenario=self.name, title=title, tags=tags, feature=feature, category=category,
            settling=SETTLING.total_seconds(),
        )  # fmt: skip  # arguments in groups
        self.folder.mkdir(parents=True)

    def begin(self) -> None:
        """A steady stack. Errors: `NotReady`; nothing has been hurt then."""
        must_be_steady(self.stack, self.journal)
        self._watch = Watch(self.stack.monitoring, self.journal)
        self._led = sights.leadership(self.stack, self.journal, "before")
        sights.release(self.stack, self.journal)

    def back_up(self) -> None:
        """A fresh base backup."""
        backup = self.stack.backups.take()
        self.journal.record("backup", backup=backup.id, bytes=backup.size, begin_lsn=backup.begin_lsn)

    def check_books(self, books: Books) -> None:
        """The figures that the books are compared with afterwards."""
        with self.stack.cluster.connect() as connection:
            self._books, self._sound = books, books.check(connection)
        self.journal.record("figures", moment="before", figures=self._sound.figures)

    def serve_customers(self, *, inside: Sequence[Group] = (), archived: bool = False) -> None:
        """Customers write, outside and in these groups inside of zones; with `archived`, until it reaches the archive.

        Errors: `NotReady`; nothing has been hurt then.
        """
        if archived:
            self._sampler = ExposureSampler(self.stack, self.journal)
            self._sampler.begin()
        idle = self.sabotage.idle
        self._workload = Workload(
            self.stack,
            self.journal,
            self.run.commands,
            self.folder,
            origin=self.origin,
            groups=[outside(0.0 if idle else self.run.options.rate), *inside],
            logs=self.run.folder / "logs" / self.name,
        )
        self._workload.begin()
        if not idle:
            wait_for_baseline(self.stack, self.journal, self._workload, self._sampler, sabotage=self.sabotage)
        if self.sabotage.receiver_lost:
            self.stack.monitoring.lose_receiver()

    # What happens

    def inject(self, fault: Fault, *, hurts: Sequence[str] = ()) -> None:
        """Hurt the stack. `hurts`: what an alert has to name besides what the fault itself says.

        Errors: `NotReady`, `Unable`.
        """
        if self.sabotage.unfenced and isinstance(self._led, Unfenced):
            self._led.freeze_manager()
            self._unfenced = self._led
        self.injuries.inject(fault, hurts=hurts)

    def await_alert(self, *, within: timedelta) -> None:
        """Wait until the platform's monitoring has named what was hurt, or its time is up: that is a finding."""
        with self.span("detect"):
            if self.watch.wait_named(self.injuries.named, since=self.injuries.begun, within=within):
                self.journal.record("detected", by="monitoring", seen="an alert names what was hurt", gap=0.0)

    def await_service(self) -> None:
        """Wait until customers are served although nobody has done anything, or for a while: that is a finding."""
        assert self._workload is not None, "the feature must have customers"
        workload, hurt = self._workload, self.injuries.begun
        self._not_in_time(
            lambda: workload.good_for(AUTOMATIC, after=hurt),
            what="customers are served again, without a person",
            within=AUTOMATIC_LIMIT,
        )

    def await_leader(self) -> None:
        """Wait until another member leads than before. Errors: `NotInTime`."""
        before = self._led

        def another() -> bool:
            leader = self.stack.cluster.leader()
            return leader is not None and (before is None or leader.name != before.name)

        wait.until(another, what="another zone leads", within=LEADS_LIMIT, recorder=self.journal)

    def hold(self) -> None:
        """Before anybody repairs or ends anything: does every fault still bite?"""
        self._touched = True
        self.injuries.hold()

    def end_faults(self) -> None:
        """The feature's own end of what was hurt: the link is whole again, the power is back."""
        self.hold()
        self._heal(by="scenario")

    def await_rejoined(self) -> None:
        """Wait until who led before streams again as a copy; how long that took is a finding."""
        assert self._led is not None, "nobody led"
        name = self._led.name

        def rejoined() -> str:
            found = {one.name: one for one in self.stack.cluster.healthy()}
            copy = found.get(f"{name} replicates")
            return copy.seen if copy is not None and copy.ok else ""

        seen = self._not_in_time(rejoined, what=f"{name} is a copy again", within=REJOINS_LIMIT)
        self.journal.record("rejoined", member=name, ok=bool(seen), seen=seen or "does not replicate")

    def await_settled(self) -> None:
        """Wait until customers are served again after what was hurt has ended; how long that took is a finding."""
        assert self._workload is not None
        workload, ended = self._workload, clock.mono()
        self._not_in_time(
            lambda: workload.good_for(AUTOMATIC, after=ended), what="customers are served", within=SETTLING_LIMIT
        )

    def await_works(self, name: str, works: Callable[[], str]) -> None:
        """Wait until a component does its work again although nobody has started it; whether it does is a finding."""
        seen = self._not_in_time(works, what=f"{name} does its work again", within=REJOINS_LIMIT)
        self.journal.record("rotation", component=name, ok=bool(seen), seen=seen or "does not do its work")

    def let_pass(self, length: timedelta, *, what: str) -> None:
        """Let the customers go on for a while in what was hurt. Paces the scenario, and decides nothing."""
        begin = clock.mono()
        wait.until(lambda: clock.since(begin) >= length, what=what, within=length * 2, recorder=self.journal)

    def leave_out(self, what: str, why: str) -> None:
        """A part of the scenario that this machine cannot do."""
        self.journal.record("not_exercised", what=what, why=why)

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
        self._touched = True
        with self.span("verify" if phase == "verify" else "recover"):
            procedure.run(phase)

    def verify_health(self, verification: Callable[[], bool]) -> None:
        """The plan's health verification, once the platform serves."""
        with self.span("verify"):
            self._verified = verification()

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

    def expect(
        self, finding: str, *, objective: str, limit: timedelta | float | None, demands: tuple[str, ...]
    ) -> None:
        """What a sentence promises; recorded before anything is hurt, judged from the journal at the end."""
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else limit
        self.journal.record("expect", finding=finding, objective=objective, limit=seconds, demands=list(demands))

    def look_at_room(self) -> None:
        """Record, once, where the disk under the stack and its evidence is full: what fails then says nothing."""
        free = shutil.disk_usage(self.folder).free
        if free < ROOM and not self._full:
            self._full = True
            self.journal.record("no_room", free=free)

    def finish(self, *, outcome: str, error: str = "") -> Verdict:
        """Let service settle, heal, end the customers, read their rows, and judge; a failed clean-up is recorded.

        Errors: KeyboardInterrupt when the run was stopped meanwhile; all that is above has been done then, too.
        """
        hurt = self.injuries.any
        quietly(self.look_at_room)  # where not even the journal has room, what is hurt is healed all the same
        try:
            if outcome == "completed" and self._verified:
                self._quietly("service did not settle", self._wait_for_service)
            if outcome == "failed" and not self._touched:
                self._quietly("nobody can say whether it still bites", self.hold)
            if outcome == "completed" and hurt and not self.run.guardian.watches():
                outcome, error = "failed", "the guardian was gone: what was hurt was not watched to its end"
            with self.run.listener.shield():
                self._heal()
            if outcome not in ("stopped", "aborted") and hurt and not self._declined:
                within = STEADY_LIMIT if self._verified else timedelta(0)  # nothing comes back that nobody started
                self._quietly("not steady", lambda: steady(self.stack, self.journal, moment="after", within=within))
        except KeyboardInterrupt:
            outcome = "stopped"
        with self.run.listener.shield():
            self._heal()
            left = outcome == "aborted" or self._declined
            stopped = outcome == "stopped" or self.run.listener.stopping
            self._end(looked=not ((stopped or left) and hurt and not self._verified))
            if stopped:
                request = self.run.listener.why()
                self.journal.record("stopped", who=request.who, why=request.why)
            outcome = "stopped" if stopped else outcome
            self.journal.record("scenario.end", scenario=self.name, outcome=outcome, error=error)
            self.run.ended.append(self.name)
            return Verdict.of(judge(next(found for found in evidence(self.run.folder) if found.scenario == self.name)))

    def _heal(self, *, by: str = "harness") -> None:
        self.injuries.heal(by=by)
        if self._unfenced is not None:
            self._unfenced.thaw_manager()

    def _end(self, *, looked: bool) -> None:
        """`looked`: rows and books are read; what was hurt, and left before it was recovered, says nothing."""
        if self._workload is not None:
            self._quietly("customers ended badly", self._workload.end)
        if self._workload is not None and looked:
            self._quietly("rows cannot be read", lambda: self.export("final", self.stack.cluster.connect))
            self._quietly("books cannot be checked", self._check_books_again)
        if self._sampler is not None:
            self._sampler.end()
        if self._watch is not None:
            self._quietly("the alert receiver cannot be read", self._watch.end)
        if self.injuries.any and looked:
            self._quietly("nobody leads", lambda: sights.leadership(self.stack, self.journal, "after"))
            self._quietly("the release cannot be read", lambda: sights.release(self.stack, self.journal))

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

    def _not_in_time(self, condition: Callable[[], Any], *, what: str, within: timedelta) -> Any:
        """Wait; what does not come in time is None, and a check will say what that means."""
        try:
            return wait.until(condition, what=what, within=within, recorder=self.journal)
        except NotInTime:
            return None
