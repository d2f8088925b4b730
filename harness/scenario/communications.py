"""Who is told in one scenario: begun by a sentence, ended with the scenario, and never in its way.

A channel is one of the stack's own, in which something stands in for the service, and nothing leaves it; or one that
the stack names as real. In an attended run people call others to the conference bridge: it is real, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from harness.communications.contacts import Contacts
from harness.communications.incident import Incident
from harness.communications.message import Kind
from harness.communications.pace import Pace
from harness.communications.sender import Sender
from harness.communications.templates import Template
from harness.communications.updates import Due, Ticking, Updates
from harness.errors import Refused
from harness.plan import Communication
from harness.run.run import Run
from harness.run.tasks import Tasks
from harness.scenario.channels import channels_of, secrets_of
from harness.scenario.listed import record_received
from harness.scenario.wrongly_told import unmarked, with_wrong_contact
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.real import real_channels
from harness.system import clock

LAST = timedelta(seconds=10)  # for what is still under way when the scenario ends
LEAD = timedelta(minutes=1)  # of the incident: an update goes out so much earlier than it is due, and is not late
FORGOTTEN = 1  # number of the update that a sabotage leaves out
EARLY = "The service was restored."


@dataclass
class _Open:
    """What there is once it has begun."""

    sender: Sender
    templates: Mapping[str, Template]
    pace: Pace
    begun: int  # mono
    tasks: Tasks | None  # of the people of an attended run
    updates: Ticking | None = None


class Communications:
    """Calls people, and tells groups of them; what becomes of it is in the journal."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._plan: Communication = run.plan.communication
        self._wrong = run.options.sabotage.telling
        self._open: _Open | None = None

    def begin(self, *, ratio: float, after: timedelta, silent: Collection[str] = ()) -> None:
        """From now on people answer so long after a message came in, but for those roles. `ratio`: of the incident's
        clock. Errors: `Refused` where the project has no contacts, or the plan tells somebody who cannot be told;
        `NotReady` where the services of the stack are not there: then nobody is to blame."""
        contacts, pace, tasks = self._contacts(), Pace(ratio), Tasks(self._run.folder) if self.attended else None
        answering = [each for role, each in contacts.people.items() if role not in silent]
        answers = {address: after for each in answering for address in each.addresses.values()}
        channels = channels_of(self._run, contacts, tasks=tasks, answers=answers, pace=pace)
        planned = replace(self._plan, channels=self._plan.channels[:1]) if self._is("fallback off") else self._plan
        if self._is("wrong contact"):
            contacts = with_wrong_contact(contacts, self._plan.roles[1])
        if self._is("message lost"):
            need(self._run.stack, Interruptible).set_service(self._plan.channels[0].by, "loses")
        within = self._plan.acknowledge_within
        self._run.journal.record(
            "communications.begin", roles=list(self._plan.roles), ratio=ratio,
            channels=[{"use": each.use, "by": each.by} for each in self._plan.channels],
            groups={name: list(by) for name, by in self._plan.groups.items()},
            acknowledge_within=within.total_seconds() if within else None,
            update_every=self._plan.update_every.total_seconds(),
            report_within=self._plan.report_within.total_seconds(),
            simulated=[name for name, each in channels.items() if not each.real],
            real=[name for name, each in channels.items() if each.real], attended=self.attended,
        )  # fmt: skip  # arguments in groups
        secrets, journal = secrets_of(self._run), self._run.journal
        sender = Sender(planned, contacts, channels, recorder=journal, pace=pace, secrets=secrets)
        self._open = _Open(sender, self._run.project.load_templates(), pace, clock.mono(), tasks)

    @property
    def attended(self) -> bool:
        """Whether people at the terminal take part."""
        return self._run.options.attended

    @property
    def by_people(self) -> bool:
        """Whether people are called, and may answer themselves: then nobody compresses the clock of it."""
        return self.attended or any(each.by in real_channels(self._run.stack) for each in self._plan.channels)

    @property
    def begun(self) -> bool:
        """Whether anybody can be told."""
        return self._open is not None

    def call(self, incident: Incident, *, roles: Sequence[str] = ()) -> None:
        """Call these roles; without any, all of the plan. Returns at once."""
        for role in roles or self._plan.roles:
            self._send("call-out", role, incident.fields(self._plan, role=role), urgent=True)

    def tell(self, kind: Kind, incident: Incident, *, groups: Sequence[str]) -> None:
        """Tell these groups. Returns at once; no update follows what says that it is over."""
        if kind in ("resolution", "report"):
            self._stop_updates()
        if kind == "resolution":
            due = clock.now().utc + self._plan.report_within  # by people, whose clock nobody compresses
            self._run.journal.record("report.due", due=clock.utc_text(due))
        for group in groups:
            self._send(kind, group, incident.fields(self._plan))
            if kind == "initial" and self._is("resolution too soon"):
                self._send("resolution", group, replace(incident, resolution_time=EARLY).fields(self._plan))

    def keep_telling(self, incident: Incident, *, groups: Sequence[str]) -> None:
        """An update to each of them every so often, until something is told that says it is over."""
        made = self._made
        made.updates = Ticking(
            Updates(self._plan.update_every - LEAD, pace=made.pace),
            partial(self._update, incident, groups),
            recorder=self._run.journal,
        )

    def lasts(self, planned: timedelta) -> timedelta:
        """In which real time so much of the incident passes."""
        return self._made.pace.real(planned)

    def settled(self, *, within: timedelta) -> bool:
        """Wait until it is known of every message what came of it, that long at most; whether it is."""
        return self._made.sender.settled(within)

    def end(self) -> None:
        """What is still under way is given up, and what came in at the services is written down. Harmless twice."""
        if self._open is None:
            return
        made, stack = self._open, find(self._run.stack, Messaged)
        self._stop_updates()
        made.sender.stop(LAST)
        self._open = None
        if made.tasks:
            made.tasks.end()
        if stack:
            record_received(stack, self._run.journal, since=made.begun)
            stack.people_answer({}, otherwise=None)
        if self._is("message lost"):
            need(self._run.stack, Interruptible).set_service(self._plan.channels[0].by, "up")

    @property
    def _made(self) -> _Open:
        """Errors: `Refused` where no sentence has begun it."""
        if self._open is None:
            raise Refused("nobody can be told yet", hint="a sentence before it has to say who answers")
        return self._open

    def _contacts(self) -> Contacts:
        found = self._run.project.load_contacts()
        if found is None:
            raise Refused("the project has no contacts", hint="project.yaml: contacts: FILE; docs/projects.md")
        return found

    def _is(self, wrong: str) -> bool:
        return self._wrong == wrong

    def _update(self, incident: Incident, groups: Sequence[str], due: Due) -> None:
        if self._is("update forgotten") and due.number == FORGOTTEN:
            return
        for group in groups:
            self._send("update", group, incident.fields(self._plan, number=due.number))

    def _stop_updates(self) -> None:
        if self._made.updates:
            self._made.updates.stop()

    def _send(self, kind: Kind, whom: str, fields: Mapping[str, str], *, urgent: bool = False) -> None:
        made = self._made
        if kind not in made.templates:
            raise Refused(f"the plan has no template for {kind}", hint="communication: templates: in the plan")
        message = made.templates[kind].message(kind, whom, fields, urgency="high" if urgent else "normal")
        made.sender.send(unmarked(message) if self._is("EXERCISE missing") else message)
