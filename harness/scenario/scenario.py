"""One scenario under way: what its sentences are made of. Every verb records what it did.

Each part has its own place: `faults`, `leader`, `detection`, `decisions`, `customers`, `communications`, `data`. What
is left here belongs to all of them: the scenario's begin, its sentences, its procedures, and its end (`ending`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta

from harness.checks import Verdict
from harness.features.sentences import Approval
from harness.procedures import Procedure
from harness.procedures.health import HealthCheck, verify_health
from harness.run.run import Run
from harness.run.steady import must_be_steady
from harness.run.trial import Trials
from harness.scenario import ending, observations
from harness.scenario.active_faults import ActiveFaults
from harness.scenario.communications import Communications
from harness.scenario.customers import SETTLING, ScenarioCustomers
from harness.scenario.data import ScenarioData
from harness.scenario.decision import DecisionDesk
from harness.scenario.detection import Detection
from harness.scenario.lasting import Lasting
from harness.scenario.leader_watch import LeaderWatch
from harness.scenario.leadership import REJOINS_LIMIT, Leadership
from harness.scenario.marks import Marks
from harness.scenario.restores import ScenarioRestores
from harness.scenario.second_writer import SecondWriter
from harness.scenario.waits import in_time, span
from harness.stacks import Stack
from harness.system import clock, wait

ROOM = 100_000_000  # bytes; with less a database of the stack stops by itself


class ScenarioRun:
    """A scenario from `announce` to `finish`."""

    def __init__(self, run: Run, name: str) -> None:
        self.run = run
        self.name = name
        self.journal = run.journal
        self.plan = run.plan
        self.sabotage = run.options.sabotage
        self.folder = run.folder / "scenarios" / name
        self.leader = Leadership(run)
        self.faults = ActiveFaults(run, self.leader)
        self.detection = Detection(run, self.faults)
        self.decisions = DecisionDesk(run)
        self.customers = ScenarioCustomers(run, name, self.folder, self.faults)
        self.communications = Communications(run)
        self.lasting = Lasting(self)
        self.data = ScenarioData(run, self.folder, self.customers)
        self.restores = ScenarioRestores(run, name)
        self.second_writer = SecondWriter(run)
        self.leaders = LeaderWatch(run)
        self.trials = Trials(run.client, f"{run.id}/{name}", run.journal)
        self.marks = Marks(run, self.folder, self.customers, self.trials)
        self.verified = False  # that the platform is whole again: then service must settle
        self.category = ""  # of the plan's failures
        self.region = ""  # the one in service as it begins
        self._full = False  # the disk that all of this lies on

    @property
    def stack(self) -> Stack:
        return self.run.stack

    @property
    def seed(self) -> str:
        """Of what is drawn in it: follows from the run's nonce, which an auditor may have chosen."""
        return f"{self.run.nonce} {self.name}"

    # Before

    def announce(self, *, title: str, tags: list[str], feature: str) -> None:
        """The scenario's first line, and its folder. Errors: OSError where there can be none."""
        categories = self.plan.categories.values()
        self.category = next((each.name for each in categories if set(each.demands) & set(tags)), "")
        self.journal.record(
            "scenario.begin", scenario=self.name, title=title, tags=tags, feature=feature, category=self.category,
            settling=SETTLING.total_seconds(),
        )  # fmt: skip  # arguments in groups
        self.folder.mkdir(parents=True)

    def expect(
        self, finding: str, *, objective: str, limit: timedelta | float | None, demands: tuple[str, ...]
    ) -> None:
        """What a sentence promises; recorded before anything is hurt, judged from the journal at the end."""
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else limit
        self.journal.record("expect", finding=finding, objective=objective, limit=seconds, demands=list(demands))

    def begin(self) -> None:
        """A steady stack. Errors: `NotReady`; nothing has been hurt then."""
        must_be_steady(self.stack, self.journal, self.trials)
        self.region = self.stack.regions[0].name
        observations.clocks(self.stack, self.journal)
        self.detection.begin()
        self.leader.look()
        observations.release(self.stack, self.journal)
        self.lasting.begin(self.category)

    # What happens

    def say(self, keyword: str, text: str, *, asks: Approval | None = None) -> None:
        """A sentence begins; what it asks of people is asked first. Errors: `Declined`, and nothing is carried out."""
        self.look_at_room()
        self.journal.record("sentence", keyword=keyword, text=text)
        if asks is not None:
            self.decisions.ask(asks.question, role=asks.role)

    def follow(self, procedure: Procedure, phase: str) -> None:
        """Run one phase of a procedure."""
        self.faults.touched = True
        with span(self.journal, "verify" if phase == "verify" else "recover"):
            procedure.run(phase)

    def verify_health(self) -> None:
        """The plan's health verification, once the platform serves."""
        with span(self.journal, "verify"):
            self.verified = verify_health(self.health_checks(), recorder=self.journal)

    def health_checks(self) -> list[HealthCheck]:
        """One for each line of the plan's health verification."""
        return self.run.health.checks(self.plan.health, self.stack)

    def await_works(self, name: str, works: Callable[[], str]) -> None:
        """Wait until a component does its work again although nobody has started it; whether it does is a finding."""
        what = f"{name} does its work again"
        seen = in_time(works, what=what, within=REJOINS_LIMIT, recorder=self.journal)
        self.journal.record("rotation", component=name, ok=bool(seen), seen=seen or "does not do its work")

    def let_pass(self, length: timedelta, *, what: str) -> None:
        """Let the customers go on for a while in what was hurt. Paces the scenario, and decides nothing."""
        begin = clock.mono()
        wait.until(lambda: clock.since(begin) >= length, what=what, within=length * 2, recorder=self.journal)

    def leave_out(self, what: str, why: str) -> None:
        """A part of the scenario that this machine cannot do."""
        self.journal.record("not_exercised", what=what, why=why)

    # After

    def look_at_room(self) -> None:
        """Record, once, where the disk under the stack and its evidence is full: what fails then says nothing."""
        free = shutil.disk_usage(self.folder).free
        if free < ROOM and not self._full:
            self._full = True
            self.journal.record("disk.full", free=free)

    def finish(self, *, outcome: str, error: str = "") -> Verdict:
        """Let service settle, heal, end the customers, read their rows, and judge: see `ending.finish`."""
        return ending.finish(self, outcome=outcome, error=error)
