"""The client that a file describes: what `harness.workload.client` asks of one, from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from harness.errors import DrillError, NotInTime
from harness.system import wait
from harness.workload.client import (
    Acceptance,
    Client,
    Key,
    Message,
    Own,
    Payload,
    Platform,
    Question,
    Secrets,
    StoredTransaction,
    no_secret,
)
from harness.workload.ledger import stored_origin
from harness.workload.plain import file
from harness.workload.plain.draws import Money, number_of
from harness.workload.plain.parts import Look, Said
from harness.workload.plain.query import ANYTHING, Query
from harness.workload.plain.templates import KEY, NUMBER, SECRET, Values, same, wanted

NOT_THERE = {"found": False}
AT_ONCE = 8  # requests, while all are asked for
PATIENCE = timedelta(seconds=5)  # for a word about one of them
LOOKS = timedelta(milliseconds=250)


def written_key(key: Key) -> str:
    """`<run>/<scenario>/<group>-<number>`: the mark by which a platform's own data has it."""
    return f"{key.origin}-{key.number}"


def read_key(text: Any) -> Key | None:
    """None where it is none of ours."""
    origin, dash, number = str(text).rpartition("-")
    if not dash or not number.isascii() or not number.isdigit() or number.startswith("0"):
        return None
    return Key(origin, int(number))


class PlainClient:
    """Fills `Client`, `MatchingClient`, `LookingClient` and `RemovingClient`."""

    def __init__(self, said: Said, secrets: Secrets = no_secret) -> None:
        self.said = said
        self._secret = cache(secrets)
        self._money = next((name for name, each in said.draws.items() if isinstance(each, Money)), "")

    def draw(self, random: Random) -> Payload:
        return {name: each.draw(random) for name, each in self.said.draws.items()}

    def amount(self, payload: Payload) -> Decimal | None:
        return number_of(payload.get(self._money))

    def message(self, key: Key, payload: Payload) -> Message:
        return self.said.write.message(self._values(key, payload))

    def judge(self, status: int, body: bytes) -> Acceptance:
        """What an answer says whatever it is about: that it is not stored."""
        return Acceptance(stored=False if status in self.said.not_stored else None)

    def judge_sent(self, key: Key, payload: Payload, *, status: int, body: bytes) -> Acceptance:
        if self.said.stored.matches(status, body, self._values(key, payload)):
            return Acceptance(stored=True)
        return self.judge(status, body)

    def asks_back(self) -> bool:
        return isinstance(self.said.read, Look)

    def rows(self, source: Any, *, origin: str) -> Iterator[StoredTransaction]:
        """`source`: a connection to a database, or a `Platform` where the file reads by a request.

        Errors: `DrillError` where the database gives no key, or the platform says nothing of one.
        """
        read = self.said.read
        if isinstance(read, Query):
            return iter(self._stored(read.rows(source, f"{origin}-{ANYTHING}"), origin))
        assert isinstance(source, Platform)
        return self._asked(read, source, origin)

    def removes(self) -> str:
        how = self.said.clean_up
        return "" if how is None else "SQL" if isinstance(how, Query) else "request"

    def remove(self, source: Any, *, origin: str, groups: Iterable[str]) -> None:
        how = self.said.clean_up
        assert how is not None
        if isinstance(how, Query):
            how.run(source, stored_origin(origin, ANYTHING))
            if callable(commit := getattr(source, "commit", None)):  # a driver may have begun a transaction by itself
                commit()
            return
        assert isinstance(source, Platform)
        sent = [own for group in groups for own in source.sent(stored_origin(origin, group))]

        def gone(own: Own) -> None:
            message = how.request.message(self._values(*own))
            status, body = _word(source, message, lambda status, _: status in how.gone)
            if status not in how.gone:
                raise _no_word(own.key, status, body, "is not removed")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(gone, sent))

    def _values(self, key: Key, payload: Payload) -> Values:
        def value(name: str) -> str:
            if name == KEY:
                return written_key(key)
            if name == NUMBER:
                return str(key.number)
            return self._secret(name.removeprefix(SECRET)) if name.startswith(SECRET) else str(payload[name])

        return value

    def _stored(self, found: Iterable[Mapping[str, Any]], origin: str) -> list[StoredTransaction]:
        """In order of number; one that is there twice comes twice."""
        kept = []
        for row in found:
            if missing := [name for name in (KEY, *self.said.draws) if name not in row]:
                raise DrillError(
                    f"what `read` gives has no column {', '.join(missing)}",
                    hint=f"name it in the client's SQL, AS {missing[0]}; {file.HINT}",
                )
            key = read_key(row[KEY])
            if key is not None and key.origin == origin:
                payload = {name: each.read(row[name]) for name, each in self.said.draws.items()}
                kept.append(StoredTransaction(key.number, payload))
        return sorted(kept, key=lambda each: each.number)

    def _asked(self, look: Look, platform: Platform, origin: str) -> Iterator[StoredTransaction]:
        """Of all that were sent, those that the platform says it has."""

        def there(own: Own) -> list[StoredTransaction]:
            return self._found(look, platform, own)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for found in pool.map(there, platform.sent(origin)):
                yield from found

    def _found(self, look: Look, platform: Platform, own: Own) -> list[StoredTransaction]:
        values = self._values(own.key, own.payload)
        message = look.request.message(values)
        status, body = _word(platform, message, lambda status, body: status in look.gone or _says(look, status, body))
        if status in look.gone:
            return []
        if not _says(look, status, body):
            raise _no_word(own.key, status, body, "is neither there nor gone")
        several = isinstance(look.there.body, list)
        found, right = look.there.says(body), wanted(look.there.body, values)
        all_found = found if several and isinstance(found, list) else [found]
        one = right[0] if several else right
        return [
            StoredTransaction(own.key.number, own.payload if same(each, one) else {"answer": each})
            for each in all_found
        ]


class AskingPlainClient(PlainClient):
    """One whose customers also ask for what they know. Fills `AskingClient`."""

    def question(self, random: Random, own: Own | None) -> Question | None:
        look = self.said.ask
        if own is None or look is None:
            return None
        values = self._values(own.key, own.payload)
        knows = {"answer": wanted(look.there.body, values)}
        return Question(f"transaction {own.key.number}", knows, look.request.message(values))

    def told(self, question: Question, status: int, body: bytes) -> Payload | None:
        look = self.said.ask
        assert look is not None
        if status in look.gone:
            return NOT_THERE
        return {"answer": look.there.says(body)} if _says(look, status, body) else None


@dataclass(frozen=True)
class ClientFile:
    """Fills `ClientSource`: a file of a project's folder, read where it is used."""

    folder: Path
    name: str
    where: str = "--client"

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def secrets(self) -> tuple[str, ...]:
        return file.read(self.path).secrets

    @property
    def rate(self) -> float | None:
        return file.read(self.path).rate

    def load(self, secrets: Secrets = no_secret) -> Client:
        """Errors: `Refused`, with every problem of the file."""
        said = file.read(self.path)
        return AskingPlainClient(said, secrets) if said.ask else PlainClient(said, secrets)

    def told(self, error: Exception) -> DrillError | None:
        """Nothing of a file is code that could break."""
        return None


def _says(look: Look, status: int, body: bytes) -> bool:
    """Whether it is an answer about it, whatever that says."""
    if not look.there.fits(status):
        return False
    try:
        look.there.says(body)
    except ValueError:
        return False
    return True


def _word(platform: Platform, message: Message, enough: Any) -> tuple[int, bytes]:
    """The first answer that says something, or the last one; status 0 where there was none."""

    def ask() -> tuple[int, bytes]:
        try:
            return platform.ask(message)
        except OSError as error:
            return 0, str(error).encode()

    return wait.poll(ask, within=PATIENCE, every=LOOKS, enough=lambda answer: enough(*answer))


def _no_word(key: Key, status: int, body: bytes, what: str) -> NotInTime:
    said = body[:120].decode(errors="replace")
    return NotInTime(
        f"number {key.number} of {key.origin} {what}: {status or 'no answer'}: {said}",
        hint=f"look whether the platform serves, and what the client's file says of this answer; {file.HINT}",
    )
