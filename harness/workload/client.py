"""How customers of a platform write, and how what is stored is read back: the project's own part of the workload.

A numbered transaction says something, its *payload*: JSON without floats, where money is decimal text. What was sent
and what is read back are written as the same canonical JSON (RFC 8785), so that whoever judges compares bytes and knows
no field of any platform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, runtime_checkable

import rfc8785

from harness.errors import DrillError, Refused
from harness.system import modules

Payload = Mapping[str, Any]
HINT = "docs/projects.md says what a client is"


class Key(NamedTuple):
    """What tells one transaction of a run from all others; a platform that is sent a key twice stores it once."""

    origin: str  # "<run>/<scenario>/<group>"
    number: int  # from 1, in the order of the due times


@dataclass(frozen=True)
class Message:
    """A request, as it leaves."""

    path: str
    body: bytes
    method: str = "POST"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # such as one with a secret


@dataclass(frozen=True)
class Acceptance:
    """What an answer says: that it is stored, or that it is not, by the platform's own word; None: nobody can tell."""

    stored: bool | None
    history: int | None = None  # of a stored one: the database's history that it was written on, a number that grows
    server: str = ""  # of a stored one: the address of the database server that wrote it; two may have one history


class StoredTransaction(NamedTuple):
    """One of a customer's transactions as it is read back."""

    number: int
    payload: Payload


class Client(Protocol):
    """What a project gives."""

    def draw(self, random: Random) -> Payload:
        """What the next transaction says. Drawn for every number, sent or not, so that the seed tells them all."""

    def amount(self, payload: Payload) -> Decimal | None:
        """The money that it moves, so that lost money is told; None where it moves none."""

    def message(self, key: Key, payload: Payload) -> Message:
        """The request that stores it."""

    def judge(self, status: int, body: bytes) -> Acceptance:
        """What the answer says, of the platform or of anything in between. Only the platform's own word counts."""

    def rows(self, source: Any, *, origin: str) -> Iterator[StoredTransaction]:
        """What is stored of one origin's transactions, in order of number, as a stream.

        `source`: what the stack gives to read from, such as a connection to its database.
        """


@runtime_checkable
class MatchingClient(Protocol):
    """A client that tells by what was sent whether an answer is about it, and asks that in the place of `judge`."""

    def judge_sent(self, key: Key, payload: Payload, *, status: int, body: bytes) -> Acceptance:
        """What the answer to that transaction says of it."""


def judged(client: Client, key: Key, payload: Payload, *, status: int, body: bytes) -> Acceptance:
    """What an answer says of the transaction that it is the answer to."""
    if isinstance(client, MatchingClient):
        return client.judge_sent(key, payload, status=status, body=body)
    return client.judge(status, body)


@runtime_checkable
class DirectClient(Protocol):
    """A client that can also write past the platform's entrance: a customer inside a zone that is cut off."""

    def direct(self, target: str) -> Callable[[Message], tuple[int, bytes]]:
        """Stores a message in the database at `target` itself; the answer is as the platform's would be."""


class Own(NamedTuple):
    """A transaction that a customer was told is stored."""

    key: Key
    payload: Payload


@dataclass(frozen=True)
class Question:
    """What a customer asks whose answer he knows already."""

    about: str  # the kind of thing, and which: "account 17"
    knows: Payload  # what a right answer says
    message: Message


@runtime_checkable
class AskingClient(Protocol):
    """A client whose customers also ask for what they know, so that wrong answers are counted."""

    def question(self, random: Random, own: Own | None) -> Question | None:
        """What is asked next. `own`: one of their own transactions, drawn from all; None while there is none. Returns
        None where nothing is known yet."""

    def told(self, question: Question, status: int, body: bytes) -> Payload | None:
        """What the answer says of it, in the form of `knows`: the same where it is right. That it is not there is an
        answer too. None where it says nothing of it: an error, of the platform or of anything in between."""


@dataclass(frozen=True)
class Platform:
    """What a client reads from that asks the platform itself, as a customer does: for each that was sent."""

    ask: Callable[[Message], tuple[int, bytes]]  # errors: `NoAnswer`
    sent: Callable[[str], Iterable[Own]]  # by their origin


@runtime_checkable
class LookingClient(Protocol):
    """A client that may read no database: its `rows` are then given a `Platform`."""

    def asks_back(self) -> bool: ...


def asks_back(client: Client) -> bool:
    """Whether it reads back by asking the platform, and needs no database."""
    return isinstance(client, LookingClient) and client.asks_back()


@runtime_checkable
class RemovingClient(Protocol):
    """A client that knows how what drills have written is removed, or that it stays."""

    def removes(self) -> str:
        """How, in a word (`SQL`, `request`); empty where it stays."""

    def remove(self, source: Any, *, origin: str, groups: Iterable[str]) -> None:
        """All of the keys of an origin, "<run>/<scenario>", whose groups these are. `source`: as of `rows`.

        Errors: what the database's driver raises, `DrillError`.
        """


Secrets = Callable[[str], str]  # by the name that a client has for it. Errors: `Refused`


def no_secret(name: str) -> str:
    """Of whoever is handed none."""
    raise Refused(f"the secret {name} was not handed on to here", hint=HINT)


class ClientSource(Protocol):
    """Where a client comes from, and by which words another process finds it again."""

    @property
    def folder(self) -> Path:
        """The project's."""

    @property
    def name(self) -> str:
        """Of a module, or of a file in the folder."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of those that it needs. Errors: `Refused` as `load`."""

    @property
    def rate(self) -> float | None:
        """Transactions a second that the platform is sent at most; None: as many as usual. Errors: as `load`."""

    def load(self, secrets: Secrets = no_secret) -> Client:
        """`secrets`: asked for one when it is needed. Errors: `Refused` where it is none."""

    def told(self, error: Exception) -> DrillError | None:
        """What broke in the client while customers wrote, as one error; None where it is not the client's."""


@dataclass(frozen=True)
class ClientModule:
    """Fills `ClientSource`: a module with a `CLIENT`, in a project's folder. It is imported where it is used."""

    folder: Path
    name: str
    where: str = "--client"  # who names it, for an error
    secrets = ()
    rate = None

    def load(self, secrets: Secrets = no_secret) -> Client:
        """Errors: `Refused` where there is no such module, where it breaks, or where it has none."""
        found = modules.module(self.name, folder=self.folder, where=self.where)
        client: Client | None = getattr(found, "CLIENT", None)
        if client is None:
            raise Refused(f"{found.__file__}: declares no CLIENT", hint=HINT)
        return client

    def told(self, error: Exception) -> DrillError | None:
        at = modules.place_in(self.folder.resolve(), error)
        if not at:
            return None
        return DrillError(f"{at}: {type(error).__name__}: {error}", hint=f"mend the client of the project; {HINT}")


def canonical(payload: Payload) -> str:
    """Canonical JSON (RFC 8785). Errors: `Refused` where it is none, or has a float: money is decimal text."""
    if _has_float(payload):
        raise Refused(f"a payload has a float: {payload}", hint="write an amount as decimal text")
    try:
        return rfc8785.dumps(payload).decode()
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise Refused(f"a payload is no JSON: {error}", hint=HINT) from None


def _has_float(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_float, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_float, value))
    return isinstance(value, float)
