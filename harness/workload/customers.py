"""One group of customers, in a process of their own: `python -m harness.workload.customers --help`.

An open loop: request n is due at `begin + (n - 1) / rate` whatever became of those before it, and is sent at its due
time by a free customer. Where no customer is free it is *not sent, clients full*. Nothing leaves before the ledger
has it on disk. SIGTERM ends the due times; what is under way is finished, at most a time-out later.
Locust is used as a library, for its users, events and statistics; its own waiting is not, since it sends nothing
while clients are stuck.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import secrets
import signal
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import gevent
import gevent.pool
import locust  # before anything that opens a socket: it makes sockets and threads cooperate
from gevent.event import AsyncResult, Event
from locust.env import Environment

from harness.errors import DrillError, Exit, Refused
from harness.system import clock
from harness.system.resolver import Fixed, resolver
from harness.workload import ledger
from harness.workload.client import Client, ClientModule, DirectClient, Key, Message, Payload, canonical
from harness.workload.connection import Connection, RequestResult, Target
from harness.workload.direct import DirectConnection
from harness.workload.group_commit import GroupCommit
from harness.workload.ledger import SECOND

LEAD = SECOND // 20  # from being ready to the first due time
CLIENTS = 100  # enough for 16.7 a second that all hang for 5 s
TIMEOUT = timedelta(seconds=5)
Resolved = Callable[[Sequence[str]], None]  # told what the name of the platform stood for at a new connection
Way = Callable[[Resolved], "Connection | DirectConnection"]


@dataclass(frozen=True)
class Order:
    """One transaction that is due."""

    number: int
    due: int
    payload: Payload


class Customer(locust.User):
    """One of the customers, with a connection of its own."""

    abstract = True  # Locust is not to run it by itself

    def __init__(self, environment: Environment, way: Way, resolved: Callable[[int, Sequence[str]], None]) -> None:
        super().__init__(environment)
        self.number = 0  # of the request that it sends
        self.connection = way(lambda addresses: resolved(self.number, addresses))

    def send(self, message: Message, *, number: int, due: int, timeout: timedelta) -> RequestResult:
        """Send it once, and wait for the answer until `timeout` after its due time."""
        self.number = number
        until = due + int(timeout.total_seconds() * SECOND)
        answer = self.connection.send(message, until=until)
        self.environment.events.request.fire(
            request_type=message.method,
            name=message.path,
            response_time=(answer.t - due) / 1e6,
            response_length=0,
            response=None,
            context={},
            exception=None if answer.outcome == "acknowledged" else RuntimeError(answer.outcome),
        )
        return answer


class Customers:
    """The open loop over all customers of a group."""

    def __init__(self, header: ledger.Header, client: Client, way: Way, writer: ledger.Writer, *, clients: int) -> None:
        self.header = header
        self.client = client
        self.timeout = timedelta(seconds=header.timeout)
        self.environment = Environment(user_classes=[])
        self.environment.events.request.add_listener(self._heard)  # type: ignore[no-untyped-call]  # of locust
        self.ledger = GroupCommit(writer, on_lost=self.stop)
        # The last one in is the next out.
        self.free = [Customer(self.environment, way, self._resolved) for _ in range(clients)]
        self.under_way = gevent.pool.Group()
        self.draw = random.Random(header.seed)
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
                self._take(number, due)
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

    def _take(self, number: int, due: int) -> None:
        order = Order(number, due, self.client.draw(self.draw))
        now = clock.mono()
        if now - due > self.timeout.total_seconds() * SECOND:
            self.ledger.add(ledger.not_sent_line(number, due=due, t=now, why="customers held up past its time-out"))
        elif not self.free:
            self.ledger.add(ledger.not_sent_line(number, due=due, t=now, why="clients full"))
        else:
            said, amount = canonical(order.payload), self.client.amount(order.payload)
            sent = ledger.sent_line(number, due=due, t=now, payload=said, amount=amount)
            self.under_way.spawn(self._serve, self.free.pop(), order, self.ledger.add(sent))

    def _serve(self, customer: Customer, order: Order, recorded: AsyncResult) -> None:
        try:
            recorded.get()
        except ledger.LedgerLost:
            return  # it does not leave; `run` reports why
        key = Key(ledger.stored_origin(self.header.origin, self.header.group), order.number)
        try:
            message = self.client.message(key, order.payload)
            answer = customer.send(message, number=order.number, due=order.due, timeout=self.timeout)
        except Exception as error:  # the request is in doubt: its ledger has no end of it
            self._broken = self._broken or error
            self.stop()
            return
        end = ledger.end_line(order.number, answer.outcome, t=answer.t, why=answer.why, history=answer.history)
        self.ledger.add(end)
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


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refused(message, hint="see `python -m harness.workload.customers --help`")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = _Arguments(prog="python -m harness.workload.customers", description="One group of customers.")
    parser.add_argument("--group", required=True, help="its name")
    parser.add_argument("--origin", required=True, help="<run>/<scenario>")
    parser.add_argument("--rate", type=float, required=True, help="requests a second of this group")
    parser.add_argument("--phase", type=float, default=0.0, help="of the grid of due times, 0 to 1 of its period")
    parser.add_argument("--ledger", type=Path, required=True, help="a file that does not exist yet")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--url", help="https://NAME:PORT")
    ways.add_argument("--direct", help="where one database server is, in words that the client's `direct` understands")
    parser.add_argument("--resolver", help="who says what NAME stands for, as JSON; the system if not given")
    parser.add_argument("--ca", type=Path, help="who may vouch for NAME; the system's authorities when not given")
    parser.add_argument("--timeout", type=float, default=TIMEOUT.total_seconds(), help="seconds from the due time")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="at most this many requests under way")
    parser.add_argument("--project", type=Path, required=True, help="the folder that the client is imported from")
    parser.add_argument("--client", required=True, help="a module of it, with a CLIENT: how transactions are sent")
    parser.add_argument("--seed", type=int, help="of what is sent; drawn when not given")
    given = parser.parse_args(words)
    if not (given.rate > 0 and given.timeout > 0 and given.clients > 0 and 0 <= given.phase < 1):
        parser.error("rate, timeout and clients are above 0, phase from 0 to below 1")
    return given


def _way(given: argparse.Namespace, client: Client) -> Way:
    """Each customer gets a connection of its own at the entrance; those of a database share a few, as an API does."""
    if given.direct:
        if not isinstance(client, DirectClient):
            raise Refused(f"{given.client}: its CLIENT cannot write to a database directly", hint="give it `direct`")
        direct = DirectConnection(client.direct(given.direct), client.judge)
        return lambda _: direct
    target = _target(given)
    return lambda resolved: Connection(target, client.judge, resolved)


def _target(given: argparse.Namespace) -> Target:
    url = urllib.parse.urlsplit(given.url)
    hint = "give --url https://NAME:PORT, and a CA certificate in PEM"
    if url.scheme not in ("https", "http") or not url.hostname:
        raise Refused(f"{given.url}: not a URL of a platform", hint=hint)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        asked = resolver(_json(given.resolver)) if given.resolver else Fixed((url.hostname,))
        return Target.at(scheme=url.scheme, host=url.hostname, port=port, resolver=asked, ca=given.ca)
    except OSError as error:
        raise Refused(f"{given.ca}: {error.strerror or error}", hint=hint) from None


def _json(text: str) -> Any:
    """None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0 after SIGTERM, 3 for wrong usage, 4 when the ledger was lost."""
    try:
        given = _arguments(words)
        module = ClientModule(given.project, given.client)
        client = module.load()
        way = _way(given, client)
        header = ledger.Header(
            origin=given.origin,
            group=given.group,
            rate=given.rate,
            timeout=given.timeout,
            begin=first_due(ready=clock.mono(), rate=given.rate, phase=given.phase),
            seed=given.seed if given.seed is not None else random.SystemRandom().getrandbits(32),
            salt=secrets.token_hex(16),
        )
        customers = Customers(header, client, way, ledger.Writer(given.ledger, header), clients=given.clients)
        for signum in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(signum, customers.stop)
        try:
            customers.run()
        except Exception as error:
            if isinstance(error, DrillError) or (told := module.told(error)) is None:
                raise
            raise told from error
    except DrillError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit
    print(customers.summary(), flush=True)
    return Exit.MET


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
