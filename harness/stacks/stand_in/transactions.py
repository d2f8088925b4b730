"""What the API does with the database, and what it may claim about it afterwards."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import gevent
import psycopg

from harness.stacks.stand_in.connections import Connection, Connections, NoDatabase, Row

Reply = tuple[int, dict[str, Any]]
WHOLE_LIMIT = 4.5  # seconds for one request; customers wait 5 s
CENT = Decimal("0.01")
MOST_AMOUNT = Decimal(10) ** 15
# The history that the database writes on: a server that leads no more goes on with an old one.
TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
# Two that were promoted at one time have one timeline. By the address that the server says it has, where it listens at
# several: who stands beside it comes by another. Null through a socket.
SERVER = "COALESCE(current_setting('drdrill.server', true), host(inet_server_addr()))"
NOT_FOUND: Reply = (404, {"found": False})


def refused(status: int, why: str) -> Reply:
    """Certainly not stored."""
    return status, {"stored": False, "why": why}


def unknown(why: str) -> Reply:
    """Nobody can say whether it is stored."""
    return 500, {"stored": None, "why": why}


class Overdue(Exception):
    """A request took longer than its customer waits."""


class NumberTaken(Exception):
    """The number is there already, with other content."""


class Rejected(Exception):
    """The request asks for what cannot be."""


@dataclass(frozen=True)
class Transfer:
    """One transaction of a customer: `origin` and `number` together are its key, so that it is stored once."""

    origin: str
    number: int
    payer: int
    payee: int
    amount: Decimal

    @classmethod
    def read(cls, body: bytes, *, most_amount: Decimal) -> Transfer:
        """From the request. Errors: `Rejected`."""
        try:
            given = json.loads(body)
            found = cls(
                origin=str(given["origin"]),
                number=int(given["number"]),
                payer=int(given["from"]),
                payee=int(given["to"]),
                amount=Decimal(str(given["amount"])),
            )
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise Rejected(f"not a transaction: {type(error).__name__}: {error}") from None
        if not found.amount.is_finite() or not 0 < found.amount < most_amount or found.amount % CENT:
            raise Rejected("the amount must be positive, in whole cents")
        if found.payer == found.payee:
            raise Rejected("payer and payee are the same account")
        return found


class Transactions:
    """Each call is one database transaction."""

    def __init__(self, connections: Connections, *, most_amount: Decimal = MOST_AMOUNT) -> None:
        self._connections = connections
        self._most_amount = most_amount

    def store(self, body: bytes) -> Reply:
        """Store a customer's transaction, once: 201 stored, 200 stored before, 409 number taken by another."""
        try:
            transfer = Transfer.read(body, most_amount=self._most_amount)
        except Rejected as error:
            return refused(400, str(error))
        return self._write(lambda connection: _store(connection, transfer))

    def store_test(self) -> Reply:
        """Write a test transaction; the answer has the id under which it can be read back."""
        name = str(uuid.uuid4())

        def write(connection: Connection) -> Reply:
            connection.execute("INSERT INTO quantumnest.test_transactions (id) VALUES (%s)", (name,))
            return 201, {"stored": True, "id": name}

        return self._write(write)

    def find(self, origin: str, number: int) -> Reply:
        row = self._read(
            "SELECT id, from_account, to_account, amount, created_at FROM quantumnest.financial_transactions"
            " WHERE origin = %s AND number = %s",
            (origin, number),
        )
        if row is None:
            return NOT_FOUND
        names = ("id", "from", "to", "amount", "created")
        return 200, {"found": True, "origin": origin, "number": number, **dict(zip(names, _plain(row), strict=True))}

    def find_test(self, name: str) -> Reply:
        try:
            key = uuid.UUID(name)
        except ValueError:
            return NOT_FOUND
        row = self._read("SELECT id, created_at FROM quantumnest.test_transactions WHERE id = %s", (key,))
        if row is None:
            return NOT_FOUND
        return 200, {"found": True, "id": name, "created": row[1].isoformat()}

    def account(self, number: int) -> Reply:
        row = self._read("SELECT id, opening, balance FROM quantumnest.accounts WHERE id = %s", (number,))
        if row is None:
            return NOT_FOUND
        return 200, dict(zip(("id", "opening", "balance"), _plain(row), strict=True))

    def _read(self, query: str, values: tuple[Any, ...]) -> Row | None:
        """One row. Errors: `NoDatabase`."""
        try:
            with gevent.Timeout(WHOLE_LIMIT, Overdue()), self._connections.use() as connection:
                row = connection.execute(query.encode(), values).fetchone()
                connection.rollback()
        except (psycopg.Error, Overdue) as error:
            raise NoDatabase(_said(error)) from None
        return row

    def _write(self, write: Callable[[Connection], Reply]) -> Reply:
        """Run `write` in a transaction and commit it; the answer says what is certain.

        Before the commit is sent, whatever fails leaves nothing stored: PostgreSQL rolls back. From then on only its
        own clean answer counts; a notice at commit says that replication was not waited for.
        """
        committing = False
        try:
            with gevent.Timeout(WHOLE_LIMIT, Overdue()), self._connections.use() as connection:
                answer = write(connection)
                committing = True
                notices = _commit(connection)
            return unknown(notices[0]) if notices else answer
        except NoDatabase as error:
            return refused(503, str(error))
        except NumberTaken as error:
            return refused(409, str(error))
        except Rejected as error:
            return refused(422, str(error))
        except psycopg.IntegrityError as error:
            return refused(422, _said(error))
        except (psycopg.Error, Overdue) as error:
            return unknown(_said(error)) if committing else refused(503, _said(error))


def _commit(connection: Connection) -> list[str]:
    """Commit; returns what the database remarked meanwhile."""
    notices: list[str] = []

    def heard(notice: psycopg.errors.Diagnostic) -> None:
        notices.append(notice.message_primary or "a notice at commit")

    connection.add_notice_handler(heard)
    try:
        connection.commit()
    finally:
        connection.remove_notice_handler(heard)
    return notices


def _store(connection: Connection, transfer: Transfer) -> Reply:
    t = transfer
    stored = connection.execute(
        "INSERT INTO quantumnest.financial_transactions (origin, number, from_account, to_account, amount)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (origin, number) DO NOTHING"
        f" RETURNING id, {TIMELINE}, {SERVER}",
        (t.origin, t.number, t.payer, t.payee, t.amount),
    ).fetchone()
    if stored is None:
        return _stored_before(connection, t)
    changes = sorted([(t.payer, -t.amount), (t.payee, t.amount)])  # in order of account: no deadlock
    for account, change in changes:
        done = connection.execute(
            "UPDATE quantumnest.accounts SET balance = balance + %s WHERE id = %s", (change, account)
        )
        if done.rowcount != 1:
            raise Rejected(f"there is no account {account}")
    return 201, {"stored": True, "id": stored[0], "timeline": int(stored[1], 16), "server": stored[2]}


def _stored_before(connection: Connection, transfer: Transfer) -> Reply:
    row = connection.execute(
        "SELECT id, from_account, to_account, amount FROM quantumnest.financial_transactions"
        " WHERE origin = %s AND number = %s",
        (transfer.origin, transfer.number),
    ).fetchone()
    if row is None or tuple(row[1:]) != (transfer.payer, transfer.payee, transfer.amount):
        raise NumberTaken(f"the number {transfer.number} is taken by another transaction")
    # It may be committed here and replicated nowhere yet: a commit of our own waits for all that is before it.
    said = connection.execute(
        f"SELECT pg_logical_emit_message(true, 'quantumnest', 'stored before'), {TIMELINE}, {SERVER}"
    ).fetchone()
    assert said is not None
    written = {"timeline": int(said[1], 16), "server": said[2]}
    return 200, {"stored": True, "duplicate": True, "id": row[0], **written}


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [value if isinstance(value, int) else str(value) for value in row]


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else f"{type(error).__name__}"
