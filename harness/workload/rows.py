"""The customers' rows as a database has them, written down beside the ledger that they are compared with."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.database import Queried
from harness.stacks.capabilities.entrance import Reachable, Readable
from harness.system.http import DIRECT, Http
from harness.system.recorder import Recorder
from harness.workload import ledger
from harness.workload.client import Client, Key, Message, Own, Platform, asks_back, canonical
from harness.workload.ledger import VERSION, stored_origin
from harness.workload.workload import name_in_pack

Opens = Callable[[], AbstractContextManager[Any]]
Sent = Callable[[str], Iterable[Own]]  # what was sent, by its origin
WITHIN = timedelta(seconds=5)  # for one answer, as customers have it


def stored(stack: Stack, client: Client, *, sent: Sent, http: Http = DIRECT) -> Opens | None:
    """What opens what the project's client reads from: what the stack says, else the leader of its cluster; None where
    it has neither. Of a client that asks back it is the platform itself, by its entrance."""
    return asked(stack, sent=sent, http=http) if asks_back(client) else database(stack)


def database(stack: Stack) -> Opens | None:
    """What the stack says, else the leader of its cluster; None where it has neither."""
    if own := find(stack, Readable):
        return own.reading
    queried = find(stack, Queried)
    return queried.connect if queried else None


def asked(stack: Stack, *, sent: Sent, http: Http = DIRECT) -> Opens | None:
    """The platform itself, by its entrance; None where it has none."""
    reached = find(stack, Reachable)
    if reached is None:
        return None
    entrance = reached.entrance

    def ask(message: Message) -> tuple[int, bytes]:
        answer = http.ask(
            message.method, entrance.url(message.path), within=WITHIN, sends=message.body or None, ca=entrance.ca,
            resolver=entrance.resolver, content_type=message.content_type, headers=message.headers,
        )  # fmt: skip  # arguments in groups
        return answer.status, answer.body

    return lambda: nullcontext(Platform(ask, sent))


def sent_in(folder: Path) -> Sent:
    """What the ledgers in a scenario's folder say was sent, by the origin of its group."""

    def sent(origin: str) -> Iterator[Own]:
        path = folder / f"ledger-{origin.rpartition('/')[2]}.jsonl"
        if path.exists():
            with path.open("rb") as lines:
                for request in ledger.outcomes(lines, name=str(path)):
                    if request.sent is not None:
                        yield Own(Key(origin, request.number), json.loads(str(request.payload)))

    return sent


def export_rows(
    source: Any, client: Client, *, origin: str, groups: Sequence[str], folder: Path, moment: str, recorder: Recorder
) -> None:
    """Write `rows-<moment>-<group>.jsonl` for each group of customers, fsynced, and record its digest as `rows`.

    `source`: what the client reads from. The first line says whose rows they are, and has a salt: a file that is
    withheld tells nothing by its digest.
    """
    for group in groups:
        path = folder / f"rows-{moment}-{group}.jsonl"
        digest, lines = sha256(), 0
        first = {"v": VERSION, "origin": origin, "group": group, "moment": moment, "salt": secrets.token_hex(16)}
        with path.open("wb") as file:
            for fact in chain([first], _rows(source, client, origin=stored_origin(origin, group))):
                text = json.dumps(fact, separators=(",", ":")).encode() + b"\n"
                digest.update(text)
                file.write(text)
                lines += 1
            file.flush()
            os.fsync(file.fileno())
        recorder.record("rows", file=name_in_pack(path), sha256=digest.hexdigest(), lines=lines, moment=moment)


def _rows(source: Any, client: Client, *, origin: str) -> Iterator[dict[str, Any]]:
    for number, payload in client.rows(source, origin=origin):
        amount = client.amount(payload)
        yield {"n": number, "payload": canonical(payload)} | ({} if amount is None else {"amount": str(amount)})
