"""Who is told in one scenario: begun by a sentence, ended with the scenario, and never in its way.

A channel is one of the stack's own, in which something stands in for the service, and nothing leaves it; or one that
the stack names as real. In an attended run people call others to the conference bridge: it is real, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from harness.communications.channels import PATIENCE, Channel, simulated
from harness.communications.contacts import Contacts
from harness.communications.incident import Incident
from harness.communications.message import Kind
from harness.communications.pace import Pace
from harness.communications.sender import Sender
from harness.communications.templates import Template
from harness.communications.updates import Due, Ticking, Updates
from harness.errors import NotReady, Refused
from harness.plan import Communication
from harness.run.run import Run
from harness.run.tasks import Tasks
from harness.scenario.listed import record_received
from harness.scenario.wrongly_told import unmarked, with_wrong_contact
from harness.stacks.capabilities import find, need
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.real import kept_out, real_channels
from harness.system import clock

SHORTEST = timedelta(seconds=0.5)  # for an answer
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
        stack = find(self._run.stack, Messaged)
        number = _bridge_number(self._plan, contacts)
        real = {**({"bridge": tasks.bridge(number)} if tasks else {}), **real_channels(self._run.stack)}
        if self._wrong and real:
            what = f"{', '.join(real)} is real here, and a sabotage that tells people wrongly would reach them"
            raise Refused(what, hint="sabotage it where something stands in for every service, and unattended")
        channels: dict[str, Channel] = real
        if stack:
            answering = [each for role, each in contacts.people.items() if role not in silent]
            times = {address: after for each in answering for address in each.addresses.values()}
            channels = {**self._simulated(stack, times, number, pace), **real}
        else:
            _must_all_be_there(self._plan, real)
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
            simulated=[name for name, each in channels.items() if not each.real], real=list(real),
            attended=self.attended,
        )  # fmt: skip  # arguments in groups
        secrets = [*kept_out(self._run.stack), *(stack.services().values() if stack else ())]
        sender = Sender(planned, contacts, channels, recorder=self._run.journal, pace=pace, secrets=secrets)
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

    def _simulated(
        self, stack: Messaged, answers: Mapping[str, timedelta | None], number: str, pace: Pace
    ) -> dict[str, Channel]:
        """Those of the stack, in which people answer after that time, by their addresses. Errors: `NotReady`."""
        services = find(self._run.stack, Interruptible)
        if services and (seen := services.service_is("page")) != "up":
            raise NotReady(f"what stands in for the services of the stack is {seen}", hint="read its log in the pack")
        stack.people_answer(answers, otherwise=None)
        stack.status_page.unlink(missing_ok=True)  # of an earlier scenario
        return simulated.channels(
            stack.services(), status_page=stack.status_page, title=f"{self._run.project.name}: status",
            bridge_number=number, own=stack.own, within=patience(self._plan, pace),
        )  # fmt: skip  # arguments in groups

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


def patience(planned: Communication, pace: Pace) -> timedelta:
    """For one answer of a service: half of what the plan waits until it uses the next channel, where that is less."""
    waits = [pace.real(each.next_after) / 2 for each in planned.channels if each.next_after]
    return max(SHORTEST, min([PATIENCE, *waits]))


def _bridge_number(planned: Communication, contacts: Contacts) -> str:
    bridges = [contacts.whom(each.name.lower()) for each in planned.channels if each.by == "bridge"]
    return next((each.address("bridge") for each in bridges if each), "of which the contacts have no number")


def _must_all_be_there(planned: Communication, real: Collection[str]) -> None:
    """Errors: `Refused` where nothing stands in for services, and the plan tells people by what is not real."""
    named = [each.by for each in planned.channels] + [by for each in planned.groups.values() for by in each]
    if lacking := sorted(set(named) - set(real)):
        raise Refused(
            f"the plan tells people by {', '.join(lacking)}: on this stack that is neither real nor simulated",
            hint="its `real_channels` has to name all of them, or it takes `Messaged`; docs/add-a-stack.md",
        )
