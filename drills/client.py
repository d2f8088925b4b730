"""How QuantumNest's customers write: payments between accounts, by the platform's API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from harness.workload.client import Acceptance, Key, Message, Own, Payload, Question, StoredTransaction

if TYPE_CHECKING:
    import psycopg

TABLE = "quantumnest.financial_transactions"
PATH = "/transactions"
ACCOUNT_PATH = "/accounts"
NOT_THERE = {"found": False}  # what an answer says, with 404
ACCOUNTS = 10_000
LARGEST = 100_00  # cents


class QuantumNestClient:
    """Fills `harness.workload.client.Client`, `DirectClient` and `AskingClient`. `accounts`: payments are between 1 and
    this, and all of them exist.

    Of an account a customer knows that it is there, and which it is. Its balance he cannot know to be wrong: others pay
    to it and from it at the same moment. Whether it is what its transactions say, only the books tell.
    """

    def __init__(self, *, accounts: int = ACCOUNTS) -> None:
        self._accounts = accounts

    def draw(self, random: Random) -> Payload:
        payer = random.randint(1, self._accounts)
        payee = (payer + random.randint(1, self._accounts - 1) - 1) % self._accounts + 1
        return _payment(payer, payee, Decimal(random.randint(1, LARGEST)).scaleb(-2))

    def amount(self, payload: Payload) -> Decimal | None:
        return Decimal(payload["amount"])

    def message(self, key: Key, payload: Payload) -> Message:
        return Message(PATH, json.dumps({"origin": key.origin, "number": key.number, **payload}).encode())

    def judge(self, status: int, body: bytes) -> Acceptance:
        """`stored` true or false; anything else, an error page of something in between say, leaves it in doubt."""
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        stored = said.get("stored") if isinstance(said, dict) else None
        if stored is True and status in (200, 201):
            timeline, server = said.get("timeline"), said.get("server")
            return Acceptance(
                stored=True, history=timeline if isinstance(timeline, int) else None, server=str(server or "")
            )
        return Acceptance(stored=False if stored is False else None)

    def rows(self, source: psycopg.Connection[Any], *, origin: str) -> Iterator[StoredTransaction]:
        """`source`: a connection to the database, as one of its operators."""
        query = f"SELECT number, from_account, to_account, amount FROM {TABLE} WHERE origin = %s ORDER BY number, id"
        with source.transaction(), source.cursor(name="rows") as cursor:
            cursor.itersize = 5000
            for number, payer, payee, amount in cursor.execute(query.encode(), (origin,)):
                yield StoredTransaction(number, _payment(payer, payee, amount))

    def question(self, random: Random, own: Own | None) -> Question:
        """One of their own transactions or any account, as often the one as the other."""
        if own is not None and random.random() < 0.5:
            path = f"{PATH}/{own.key.origin}/{own.key.number}"
            return Question(f"transaction {own.key.number}", own.payload, Message(path, b"", method="GET"))
        account = random.randint(1, self._accounts)
        message = Message(f"{ACCOUNT_PATH}/{account}", b"", method="GET")
        return Question(f"account {account}", {"account": account}, message)

    def told(self, question: Question, status: int, body: bytes) -> Payload | None:
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return None
        if status == 404 and said.get("found") is False:
            return NOT_THERE
        if status != 200:
            return None
        if "account" in question.knows:
            return {"account": said.get("id")}
        return {name: said.get(name) for name in ("from", "to", "amount")}

    def direct(self, target: str) -> Callable[[Message], tuple[int, bytes]]:
        """By the platform's own code, which knows what a commit may be called: one whose wait for another zone was
        cancelled is in doubt, never acknowledged."""
        from harness.stacks.stand_in.connections import Connections  # noqa: PLC0415  (only these customers need it)
        from harness.stacks.stand_in.transactions import Transactions  # noqa: PLC0415  (the same)

        transactions = Transactions(Connections(target))

        def store(message: Message) -> tuple[int, bytes]:
            status, said = transactions.store(message.body)
            return status, json.dumps(said, default=str).encode()

        return store


def _payment(payer: int, payee: int, amount: Decimal) -> Payload:
    """The amount as it is: one that was changed by less than a cent is another one."""
    return {"from": payer, "to": payee, "amount": str(amount)}


CLIENT = QuantumNestClient()
