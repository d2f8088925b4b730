"""One group of customers that write, in a process of their own: `python -m harness.workload.customers --help`.

SIGTERM ends the due times; what is under way is finished, at most a time-out later.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

from harness.errors import Refused
from harness.workload import ledger
from harness.workload.client import Acceptance, Client, DirectClient, Key, Message, canonical, judged
from harness.workload.connection import Connection, Reply
from harness.workload.direct import DirectConnection
from harness.workload.handed import Mask
from harness.workload.ledger import Outcome
from harness.workload.open_loop import Customers, End, Order, Way
from harness.workload.options import Options, header_of, run, target

NOT_STORED = Acceptance(None)


class Writing:
    """Numbered transactions. Fills `harness.workload.open_loop.Work`."""

    def __init__(self, header: ledger.Header, client: Client, mask: Mask = str) -> None:
        self._origin = ledger.stored_origin(header.origin, header.group)
        self._client = client
        self._mask = mask
        self._random = random.Random(header.seed)

    def draw(self, number: int, due: int) -> Order:
        return Order(number, due, self._client.draw(self._random))

    def sent(self, order: Order, *, t: int) -> str:
        said, amount = canonical(order.content), self._client.amount(order.content)
        return ledger.sent_line(order.number, due=order.due, t=t, payload=said, amount=amount)

    def message(self, order: Order) -> Message:
        return self._client.message(Key(self._origin, order.number), order.content)

    def ended(self, order: Order, reply: Reply) -> End:
        outcome, stored, why = self._outcome(order, reply)
        line = ledger.end_line(order.number, outcome, t=reply.t, why=why, history=stored.history, server=stored.server)
        return End(line, bad="" if outcome == "acknowledged" else outcome)

    def _outcome(self, order: Order, reply: Reply) -> tuple[Outcome, Acceptance, str]:
        """What an answer says about the transaction, as the project's client judges it."""
        if not reply.status:
            return "in_doubt" if reply.left else "failed", NOT_STORED, reply.why
        key = Key(self._origin, order.number)
        found = judged(self._client, key, order.content, status=reply.status, body=reply.body)
        if found.stored:
            return "acknowledged", found, ""
        return "failed" if found.stored is False else "in_doubt", NOT_STORED, reply.said(self._mask)


def _options() -> Options:
    options = Options("harness.workload.customers", "One group of customers that write.")
    ways = options.add_mutually_exclusive_group(required=True)
    ways.add_argument("--url", help="https://NAME:PORT")
    ways.add_argument("--direct", help="where one database server is, in words that the client's `direct` understands")
    return options


def _way(given: argparse.Namespace, client: Client) -> Way:
    """Each customer gets a connection of its own at the entrance; those of a database share a few, as an API does."""
    if given.direct:
        if not isinstance(client, DirectClient):
            raise Refused(f"{given.client}: its CLIENT cannot write to a database directly", hint="give it `direct`")
        direct = DirectConnection(client.direct(given.direct))
        return lambda _: direct
    there = target(given)
    return lambda resolved: Connection(there, resolved)


def _customers(given: argparse.Namespace, client: Client, mask: Mask) -> Customers:
    way = _way(given, client)
    header = header_of(given)
    work = Writing(header, client, mask)
    return Customers(header, work, way, ledger.Writer(given.ledger, header), clients=given.clients, most=given.most)


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0 after SIGTERM, 3 for wrong usage, 4 when the ledger was lost."""
    return run(_options(), words, _customers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
