"""One group of customers that ask for what they know, in a process of their own: `python -m harness.workload.asking`.

What they know of their own they read from the ledgers of those who write, which grow meanwhile. SIGTERM ends the due
times, as for those.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import Refused
from harness.system.growing import Growing
from harness.workload import answers, ledger
from harness.workload.client import AskingClient, Client, Key, Message, Own, canonical
from harness.workload.connection import Connection, Reply
from harness.workload.handed import Mask
from harness.workload.ledger import Header
from harness.workload.open_loop import Customers, End, Order
from harness.workload.options import Options, header_of, run, target

REMEMBERED = 50_000  # transactions of a ledger that are asked for: more would only take memory


class Acknowledged:
    """The acknowledged transactions of a ledger that still grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._growing = Growing()
        self._origin = ""
        self._sent: dict[int, str] = {}  # payload by number, without an end
        self._many = 0
        self.known: list[Own] = []  # the newest, in no order

    def look(self) -> list[Own]:
        """All that is known by now."""
        for fact in map(json.loads, self._growing.lines(self._path)):
            event = fact.get("e")
            if event is None:
                self._origin = ledger.stored_origin(fact["origin"], fact["group"])
            elif event == "sent":
                self._sent[fact["n"]] = fact["payload"]
            elif event in ledger.ENDS:
                payload = self._sent.pop(fact["n"])
                if event == "acknowledged":
                    self._add(Own(Key(self._origin, fact["n"]), json.loads(payload)))
        return self.known

    def _add(self, own: Own) -> None:
        if len(self.known) < REMEMBERED:
            self.known.append(own)
        else:
            self.known[self._many % REMEMBERED] = own
        self._many += 1


class Asking:
    """Questions whose answers are known. Fills `harness.workload.open_loop.Work`."""

    def __init__(self, header: Header, client: AskingClient, known: Sequence[Acknowledged], mask: Mask = str) -> None:
        self._client = client
        self._mask = mask
        self._known = known
        self._random = random.Random(header.seed)

    def draw(self, number: int, due: int) -> Order:
        known = [each for each in (one.look() for one in self._known) if each]
        own = self._random.choice(self._random.choice(known)) if known else None
        question = self._client.question(self._random, own)
        return Order(number, due, question, why="" if question else "nothing is known yet that could be asked for")

    def sent(self, order: Order, *, t: int) -> str:
        question = order.content
        return answers.asked_line(
            order.number, due=order.due, t=t, about=question.about, knows=canonical(question.knows)
        )

    def message(self, order: Order) -> Message:
        message: Message = order.content.message
        return message

    def ended(self, order: Order, reply: Reply) -> End:
        number = order.number
        if not reply.status:
            return End(answers.untold_line(number, "no_answer", t=reply.t, why=reply.why), "no answer")
        told = self._client.told(order.content, reply.status, reply.body)
        if told is None:
            return End(answers.untold_line(number, "refused", t=reply.t, why=reply.said(self._mask)), "refused")
        says = canonical(told)
        line = answers.told_line(number, t=reply.t, told=self._mask(says))
        return End(line, bad="" if says == canonical(order.content.knows) else "wrong")


def _options() -> Options:
    options = Options("harness.workload.asking", "One group of customers that ask for what they know.")
    options.add_argument("--url", required=True, help="https://NAME:PORT")
    options.add_argument("--knows", type=Path, action="append", default=[], help="a ledger of those who write")
    return options


def _customers(given: argparse.Namespace, client: Client, mask: Mask) -> Customers:
    if not isinstance(client, AskingClient):
        raise Refused(f"{given.client}: its CLIENT asks nothing", hint="give it `question` and `told`")
    there = target(given)
    header = header_of(given)
    work = Asking(header, client, [Acknowledged(path) for path in given.knows], mask)
    writer = ledger.Writer(given.ledger, header)
    return Customers(header, work, lambda resolved: Connection(there, resolved), writer, clients=given.clients)


def main(words: Sequence[str]) -> int:
    """Returns the exit code: 0 after SIGTERM, 3 for wrong usage, 4 when the record was lost."""
    return run(_options(), words, _customers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
