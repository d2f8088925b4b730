"""Clients that are plain data, for tests: the one that is shown on the page, and others by what they say otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.workload.client import Client, Key, Message, Own, Platform
from harness.workload.plain.client import ClientFile
from tests.test_house import HOME

PAYDESK = HOME / "tests" / "projects" / "paydesk"
SECRETS = {"api key": "s3cret-of-the-desk"}
ORIGIN = "20260102-030405-abcd/the-leader-dies/outside"

LOOKING = """format: 1
draws:
  amount: {money: 0.01..1.00}
  payee: {integer: 1..50}
write:
  request: PUT /transfers/${key}
  body:
    to: drill-${payee}
    sum: {value: "${amount}", minor: false, notes: null, tags: [a, "7", 7]}
  stored:
    body: {status: booked}
read:
  request: GET /transfers/${key}
  there:
    body: {to: "drill-${payee}", sum: {value: "${amount}"}}
  gone: {status: [404]}
clean up:
  request: DELETE /transfers/${key}
  gone: {status: [204, 404]}
"""


def of_paydesk() -> Client:
    return ClientFile(PAYDESK, "client.yaml").load(SECRETS.__getitem__)


def of(folder: Path, text: str) -> Client:
    (folder / "client.yaml").write_text(text)
    return ClientFile(folder, "client.yaml").load(SECRETS.__getitem__)


def own(number: int, **payload: Any) -> Own:
    return Own(Key(ORIGIN, number), payload)


class Asked:
    """A platform that answers each path with what it is told, and remembers what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, bytes]], *sent: Own) -> None:
        self.answers = answers
        self.sent = sent
        self.messages: list[Message] = []

    def ask(self, message: Message) -> tuple[int, bytes]:
        self.messages.append(message)
        if message.path not in self.answers:
            raise ConnectionRefusedError("nobody listens")
        return self.answers[message.path]

    def platform(self) -> Platform:
        return Platform(self.ask, lambda origin: [own for own in self.sent if own.key.origin == origin])
