"""One group of customers at work: an open loop, whatever they send and whatever comes back.

Request n is due at `begin + (n - 1) / rate` whatever became of those before it, and is sent at its due time by a free
customer. Where no customer is free it is *not sent, clients full*. Nothing leaves before it is on disk.
Locust is used as a library, for its users, events and statistics; its own waiting is not, since it sends nothing
while clients are stuck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

import gevent
import gevent.pool
import locust  # before anything that opens a socket: it makes sockets and threads cooperate
from gevent.event import AsyncResult, Event
from locust.env import Environment

from harness.system import clock
from harness.workload import ledger
from harness.workload.client import Message
from harness.workload.connection import Connection, Reply
from harness.workload.direct import DirectConnection
from harness.workload.group_commit import GroupCommit
from harness.workload.ledger import SECOND

LEAD = SECOND // 20  # from being ready to the first due time
BOUND = "as many are sent as may be"  # why one is not sent
Resolved = Callable[[Sequence[str]], None]  # told what the name of the platform stood for at a new connection
Way = Callable[[Resolved], "Connection | DirectConnection"]


@dataclass(frozen=True)
class Order:
    """What is due next; `content` only its work looks into. None: there is nothing to send, and `why` says why."""

    number: int
    due: int
    content: Any
    why: str = ""


class End(NamedTuple):
    """What became of a request: the line that says so, and what it is called where it was not good."""

    line: str
    bad: str


class Work(Protocol):
    """What a group sends, and how its file tells of it."""

    def draw(self, number: int, due: int) -> Order:
        """The next one. Drawn for every number, sent or not."""

    def sent(self, order: Order, *, t: int) -> str:
        """The line that is on disk before the request leaves."""

    def message(self, order: Order) -> Message:
        """The request."""

    def ended(self, order: Order, reply: Reply) -> End:
        """What came back of it."""


class Customer(locust.User):
    """One of the customers, with a connection of its own."""

    abstract = True  # Locust is not to run it by itself

    def __init__(self, environment: Environment, way: Way, resolved: Callable[[int, Sequence[str]], None]) -> None:
        super().__init__(environment)
        self.number = 0  # of the request that it sends
        self.connection = way(lambda addresses: resolved(self.number, addresses))

    def send(self, message: Message, *, number: int, due: int, timeout: timedelta) -> Reply:
        """Send it once, and wait for the answer until `timeout` after its due time."""
        self.number = number
        return self.connection.send(message, until=due + int(timeout.total_seconds() * SECOND))


class Customers:
    """The open loop over all customers of a group."""

    def __init__(
        self, header: ledger.Header, work: Work, way: Way, writer: ledger.Writer, *, clients: int,
        most: int | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        self.header = header
        self.work = work
        self.timeout = timedelta(seconds=header.timeout)
        self.environment = Environment(user_classes=[])
        self.environment.events.request.add_listener(self._heard)  # type: ignore[no-untyped-call]  # of locust
        self.ledger = GroupCommit(writer, on_lost=self.stop)
        # The last one in is the next out.
        self.free = [Customer(self.environment, way, self._resolved) for _ in range(clients)]
        self._left = most  # to be sent; None: all that are due
        self.under_way = gevent.pool.Group()
        self._addresses: Sequence[str] | None = None  # what the name stood for, as the last of them was told
        self._stopping = Event()
        self._stopped: int | None = None
        self._broken: Exception | None = None  # what a request met that neither the platform nor the network did

    def stop(self) -> None:
        """No request is due after this moment."""
        self._stopped = self._stopped or clock.mono()
        self._stopping.set()

    def run(self) -> None:
        """Until `stop`. Errors: `LedgerLost`, and what the client raises; all that was sent is in the ledger."""
        number = 1
        try:
            while self._due_comes(due := self.header.due(number)):
                self._take(self.work.draw(number, due))
                number += 1
        finally:
            if self.ledger.lost is None:
                self.under_way.join()
            self.ledger.close()
        if self._broken is not None:
            raise self._broken

    def _due_comes(self, due: int) -> bool:
        """Wait for a due time; False when the customers were stopped before it.

        A due time that has passed already, because this process was held up, is not skipped.
        """
        gevent.sleep(0)  # so that, after it was held up, those with answers come first
        while (left := due - clock.mono()) > 0 and not self._stopping.wait(left / SECOND):
            pass
        return self._stopped is None or (due <= self._stopped and self.ledger.lost is None)

    def _take(self, order: Order) -> None:
        now = clock.mono()
        why = order.why
        if now - order.due > self.timeout.total_seconds() * SECOND:
            why = "customers held up past its time-out"
        elif not self.free:
            why = "clients full"
        elif self._left == 0:
            why = BOUND
        if why:
            self.ledger.add(ledger.not_sent_line(order.number, due=order.due, t=now, why=why))
        else:
            self._left = None if self._left is None else self._left - 1
            sent = self.work.sent(order, t=now)
            self.under_way.spawn(self._serve, self.free.pop(), order, self.ledger.add(sent))

    def _serve(self, customer: Customer, order: Order, recorded: AsyncResult) -> None:
        try:
            recorded.get()
        except ledger.LedgerLost:
            return  # it does not leave; `run` reports why
        try:
            message = self.work.message(order)
            reply = customer.send(message, number=order.number, due=order.due, timeout=self.timeout)
            end = self.work.ended(order, reply)
        except Exception as error:  # its file has no end of the request
            self._broken = self._broken or error
            self.stop()
            return
        self.environment.events.request.fire(  # type: ignore[no-untyped-call]  # of locust
            request_type=message.method,
            name=self.header.group,
            response_time=(reply.t - order.due) / 1e6,
            response_length=0,
            response=None,
            context={},
            exception=RuntimeError(end.bad) if end.bad else None,
        )
        self.ledger.add(end.line)
        self.free.append(customer)

    def _resolved(self, number: int, addresses: Sequence[str]) -> None:
        """The ledger has it where the answer is another one than the last of all of them was."""
        if addresses != self._addresses:
            self._addresses = addresses
            self.ledger.add(ledger.resolved_line(number, t=clock.mono(), addresses=addresses))

    def _heard(self, request_type: str, name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
        self.environment.stats.log_request(request_type, name, round(response_time), 0)
        if exception is not None:
            self.environment.stats.log_error(request_type, name, exception)

    def summary(self) -> str:
        """One line for the log. Response times count from the due time."""
        total = self.environment.stats.total
        return (
            f"{self.header.group}: {total.num_requests} answered or given up, {total.num_failures} of them bad; "
            f"median {total.get_response_time_percentile(0.5) or 0:.0f} ms, "
            f"99% {total.get_response_time_percentile(0.99) or 0:.0f} ms"
        )


def first_due(*, ready: int, rate: float, phase: float) -> int:
    """The first point of the group's grid after `ready`.

    All grids of one machine start at its boot, so groups of one rate with phases 0, 1/3 and 2/3
    take turns without a word.
    """
    period = SECOND / rate
    return round((math.ceil((ready + LEAD) / period - phase) + phase) * period)
