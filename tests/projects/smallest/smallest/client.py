"""How its customers write: a line of text each, which is its own answer."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from harness.workload.client import Acceptance, Key, Message, Payload, StoredTransaction


class Notes:
    """Fills `harness.workload.client.Client`."""

    def draw(self, random: Random) -> Payload:
        return {"note": f"note {random.randint(1, 9)}"}

    def amount(self, payload: Payload) -> Decimal | None:
        return None

    def message(self, key: Key, payload: Payload) -> Message:
        return Message(f"/notes/{key.origin}/{key.number}", str(payload["note"]).encode(), content_type="text/plain")

    def judge(self, status: int, body: bytes) -> Acceptance:
        return Acceptance(stored=True if status == 201 else None)

    def rows(self, source: Any, *, origin: str) -> Iterator[StoredTransaction]:
        yield from ()


CLIENT = Notes()
