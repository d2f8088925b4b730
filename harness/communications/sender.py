"""Sends messages beside a drill, which it never holds up: each recipient has a queue and a thread.

So what goes to one person goes in order, and who does not answer keeps nobody else waiting. A message that fails is a
line in the journal, and no error.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from harness.communications.channels import Channel
from harness.communications.contacts import Contacts, must_reach, private_words
from harness.communications.delivery import Delivery, Once, Outcome, Patience, Step
from harness.communications.log import Log
from harness.communications.message import Message
from harness.communications.pace import REAL_TIME, Pace
from harness.errors import Refused, quietly
from harness.evidence.redact import SHORTEST_SECRET, Redactor
from harness.plan import Communication
from harness.system import clock
from harness.system.recorder import Recorder

USUAL = Patience()
WHY: Mapping[Outcome, str] = {
    "not sent": "no channel took it",
    "not acknowledged": "nobody acknowledged it",
    "unknown": "nobody knows whether it arrived",
}
AT_MOST = timedelta(minutes=5)  # for a channel or a role where the plan says nothing


class Sender:
    """Told what to send by `send`; ended by `stop`, which has to be called.

    `channels`: by their kind, at least all that the plan names. `secrets`: what else must not be recorded, such as the
    addresses of webhooks. Errors: `Refused` where the plan tells somebody by what there is not.
    """

    def __init__(
        self, planned: Communication, contacts: Contacts, channels: Mapping[str, Channel], *, recorder: Recorder,
        pace: Pace = REAL_TIME, patience: Patience = USUAL, secrets: Iterable[str] = (),
    ) -> None:  # fmt: skip  # parameters in groups
        must_reach(contacts, planned)
        _must_be_there(planned, channels)
        self._contacts = contacts
        self._within = planned.acknowledge_within or AT_MOST
        self._people = [Step(channels[each.by], each.next_after or self._within) for each in planned.channels]
        self._groups = {name: [Step(channels[by], AT_MOST) for by in each] for name, each in planned.groups.items()}
        private = Redactor([*private_words(contacts), *(each for each in secrets if len(each) >= SHORTEST_SECRET)])
        self._log = Log(recorder, mask=private.text, pace=pace)
        self._pace, self._patience, self._once = pace, patience, Once()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._told: set[tuple[str, str]] = set()
        self._under_way: set[Delivery] = set()
        self._lines: dict[str, queue.SimpleQueue[Delivery | None]] = {}

    def send(self, message: Message) -> bool:
        """Have it sent; returns at once. To a group it goes by each of its channels, to a role by one after another.

        The same message to the same people a second time is not sent; returns whether it was new. Errors: `Refused`
        where the plan and the contacts have nobody of that name.
        """
        contact = self._contacts.whom(message.whom)
        if contact is None or (message.whom in self._contacts.groups and message.whom not in self._groups):
            known = ", ".join([*self._contacts.people, *self._groups])
            raise Refused(f'nobody is called "{message.whom}" whom the plan tells', hint=f"there are: {known}")
        with self._changed:
            if (message.digest, message.whom) in self._told or self._stopping.is_set():
                return False
            self._told.add((message.digest, message.whom))
        ways = [[step] for step in self._groups[message.whom]] if message.whom in self._groups else [self._people]
        self._log.message(message, about=message.digest, channels=[step.channel.name for way in ways for step in way])
        begun = clock.mono()
        for way in ways:
            self._queue(Delivery(message, contact, way, self._within, message.digest, message.whom, begun))
        return True

    def settled(self, within: timedelta) -> bool:
        """Wait until it is known of every message what came of it, that long at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, within.total_seconds())

    def stop(self, within: timedelta = timedelta()) -> None:
        """Wait that long for what is under way; what is left then is given up. Nothing is recorded afterwards."""
        self.settled(within)
        self._stopping.set()
        with self._changed:
            left, lines = list(self._under_way), list(self._lines.values())
            self._under_way.clear()
        for each in left:
            self._given_up(each, "all was stopped while it was under way")
        self._log.end()
        for line in lines:
            line.put(None)

    def _queue(self, delivery: Delivery) -> None:
        """Behind what goes to the same recipient; to a group by the same channel."""
        whom = delivery.message.whom
        name = f"{whom} by {delivery.steps[0].channel.name}" if whom in self._groups else whom
        with self._changed:
            if self._stopping.is_set():
                return
            self._under_way.add(delivery)
            line = self._lines.get(name)
            if line is None:
                line = self._lines[name] = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(line,), name=f"tells {name}", daemon=True).start()
            line.put(delivery)

    def _work(self, line: queue.SimpleQueue[Delivery | None]) -> None:
        while (delivery := line.get()) is not None:
            if self._stopping.is_set():
                continue
            if why := quietly(partial(self._carry_out, delivery)):
                quietly(partial(self._given_up, delivery, f"what sends it broke: {why}"))
            with self._changed:
                self._under_way.discard(delivery)
                self._changed.notify_all()

    def _carry_out(self, delivery: Delivery) -> None:
        outcome = delivery.run(
            log=self._log, pace=self._pace, once=self._once, patience=self._patience, stopping=self._stopping
        )
        self._followed_up(delivery, outcome)

    def _followed_up(self, delivery: Delivery, outcome: Outcome) -> None:
        """Nobody answered: the deputy is called. Where there is none, or nothing was sent, it is given up."""
        if outcome in ("sent", "acknowledged", "stopped"):
            return
        deputy = self._contacts.people.get(delivery.contact.deputy)
        if deputy is None or not delivery.message.wants_acknowledgement:
            self._given_up(delivery, WHY[outcome])
            return
        message = delivery.message.for_deputy(deputy.name)
        names = [step.channel.name for step in self._people]
        self._log.message(message, about=delivery.about, channels=names, instead_of=delivery.role)
        self._queue(replace(delivery, message=message, contact=deputy, steps=self._people))

    def _given_up(self, delivery: Delivery, why: str) -> None:
        names, after = [step.channel.name for step in delivery.steps], clock.since(delivery.begun)
        self._log.given_up(delivery.about, delivery.role, channels=names, why=why, after=after)


def _must_be_there(planned: Communication, channels: Mapping[str, Channel]) -> None:
    named = [each.by for each in planned.channels] + [by for each in planned.groups.values() for by in each]
    lacking = sorted({by or "a channel of no kind" for by in named if by not in channels})
    if lacking:
        there = ", ".join(channels) or "none"
        raise Refused(f"the plan tells people by {', '.join(lacking)}", hint=f"of channels there are here: {there}")
