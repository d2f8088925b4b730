"""One message on its way to one recipient: the channels in their order, again where that may help, until it is known.

It runs in a thread of its own, and ends soon when all is stopping.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Literal

from harness.communications.channels import Channel, NotReached, NotSent, Receipt, Withdrawing
from harness.communications.contacts import Contact
from harness.communications.log import Log
from harness.communications.message import Message
from harness.communications.pace import Pace
from harness.errors import quietly
from harness.system import clock, wait
from harness.system.clock import Moment

Outcome = Literal["sent", "acknowledged", "not acknowledged", "not sent", "unknown", "stopped"]


@dataclass(frozen=True)
class Step:
    """A channel, and how long it is used before the next one is, too: of the plan's clock."""

    channel: Channel
    next_after: timedelta


@dataclass(frozen=True)
class Patience:
    """How a channel is tried again. Real time: what a service can take does not depend on a drill's pace."""

    first: timedelta = timedelta(seconds=1)  # before the second attempt; then twice that, and so on
    longest: timedelta = timedelta(seconds=30)
    attempts: int = 5
    poll: timedelta = timedelta(milliseconds=250)  # between two looks for an acknowledgement


class Once:
    """Nothing goes twice to one person by one channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[tuple[str, str, str]] = set()

    def first(self, message: Message, channel: Channel) -> bool:
        """Whether it is the first time; from now on it is not."""
        key = (message.digest, message.whom, channel.name)
        with self._lock:
            new = key not in self._used
            self._used.add(key)
            return new


@dataclass(eq=False)
class Delivery:
    """`role`: whom it was for at first; the message is for them, or for a deputy. `begun`: when it began, by `mono`.

    `out`: what may be acknowledged, and by whom. It goes on to the deputy's: who was asked first may still answer.
    """

    message: Message
    contact: Contact = field(repr=False)
    steps: Sequence[Step]
    within: timedelta  # for an acknowledgement, of the plan's clock
    about: str
    role: str
    begun: int
    out: list[tuple[Channel, Receipt, str]] = field(default_factory=list, repr=False)

    def run(self, *, log: Log, pace: Pace, once: Once, patience: Patience, stopping: threading.Event) -> Outcome:
        """Try until it is known what came of it, or until all is stopping. Afterwards nobody is asked any more."""
        try:
            return _Running(self, log=log, pace=pace, once=once, patience=patience, stopping=stopping).outcome()
        finally:
            for channel, receipt, _ in self.out:
                if isinstance(channel, Withdrawing):
                    quietly(partial(channel.withdraw, receipt))


class _Running:
    def __init__(
        self, delivery: Delivery, *, log: Log, pace: Pace, once: Once, patience: Patience, stopping: threading.Event
    ) -> None:
        self._it, self._log, self._pace = delivery, log, pace
        self._once, self._patience, self._stopping = once, patience, stopping
        self._begun = clock.mono()
        self._not_reached: set[str] = set()  # tokens of which a person said so

    def outcome(self) -> Outcome:
        wanted = self._it.message.wants_acknowledgement
        deadline = self._pace.real(self._it.within)
        for step in self._it.steps:
            begun, address = clock.mono(), self._it.contact.address(step.channel.name)
            if not address or not self._once.first(self._it.message, step.channel):
                continue
            sent = self._by(step, address)
            if sent and not wanted:
                return "sent"
            if self._stopping.is_set():
                return "stopped"
            left = min(self._pace.real(step.next_after) - clock.since(begun), deadline - clock.since(self._begun))
            if sent and self._acknowledged(left):
                return "acknowledged"
            if wanted and self._it.out and clock.since(self._begun) >= deadline:
                break
        if wanted and self._it.out and self._acknowledged(deadline - clock.since(self._begun)):
            return "acknowledged"
        failed: Outcome = "not sent" if not self._it.out else "not acknowledged" if wanted else "unknown"
        return "stopped" if self._stopping.is_set() else failed

    def _by(self, step: Step, address: str) -> bool:
        """Whether one channel took it; again as long as that may help and it is not time for the next one."""
        begun, limit, pause = clock.mono(), self._pace.real(step.next_after), self._patience.first
        for number in range(1, self._patience.attempts + 1):
            try:
                self._attempt(step.channel, address, number)
            except NotSent as error:
                before = max(pause, error.after or timedelta())
                last = number == self._patience.attempts or clock.since(begun) + before > limit
                if not error.again or last or self._stopping.wait(before.total_seconds()):
                    return False
                pause = min(2 * pause, self._patience.longest)
            else:
                return True
        return False

    def _attempt(self, channel: Channel, address: str, number: int) -> None:
        """Errors: `NotSent`; also for what a channel must not raise: then nobody knows what came of it."""
        begun = clock.mono()
        end: Receipt | NotSent
        try:
            end = channel.send(self._it.message, address)
        except NotSent as error:
            end = error
        except Exception as error:
            end = NotSent(f"the channel broke: {type(error).__name__}: {error}", receipt=Receipt(channel.name))
        took, whom = clock.since(begun), self._it.message.whom
        self._log.attempt(self._it.about, whom, channel, number=number, took=took, end=end)
        receipt = end if isinstance(end, Receipt) else end.receipt
        if receipt:
            self._it.out.append((channel, receipt, self._it.message.whom))
        if isinstance(end, NotSent):
            raise end

    def _acknowledged(self, within: timedelta) -> bool:
        """Whether the person says so by any of the channels, in that time. It is asked at least once, and no longer
        where somebody says that the last channel does not reach them."""
        seen = wait.poll(
            self._look, within=within, every=self._patience.poll,
            enough=lambda found: found is not None or self._stopping.is_set() or self._is_over(),
        )  # fmt: skip  # arguments in groups
        if seen is None:
            return False
        channel, who, moment = seen
        after = timedelta(microseconds=(moment.latest - self._it.begun) / 1000)
        self._log.acknowledged(
            self._it.about,
            self._it.role,
            by=who,
            channel=channel,
            after=after,
            said_by=moment.by,
        )
        return True

    def _look(self) -> tuple[Channel, str, Moment] | None:
        for channel, receipt, who in self._it.out:
            try:
                moment = channel.acknowledged(receipt)
            except NotReached as error:
                self._said_no(channel, receipt, who, error.by)
                continue
            except Exception:
                continue  # it cannot be asked: nothing is known
            if moment is not None:
                return channel, who, moment
        return None

    def _said_no(self, channel: Channel, receipt: Receipt, who: str, by: str) -> None:
        if receipt.token not in self._not_reached:
            self._not_reached.add(receipt.token)
            self._log.not_reached(self._it.about, self._it.role, whom=who, channel=channel, said_by=by)

    def _is_over(self) -> bool:
        """Whether somebody says so of the last channel that was used."""
        return self._it.out[-1][1].token in self._not_reached
