"""How the customers of `benchmarks.precision` write: a number each, to `benchmarks.service`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from harness.workload.client import Acceptance, Key, Message, Payload, StoredTransaction


class Numbers:
    """Fills `harness.workload.client.Client`."""

    def draw(self, random: Random) -> Payload:
        return {"number": random.randint(1, 9)}

    def amount(self, payload: Payload) -> Decimal | None:
        return None

    def message(self, key: Key, payload: Payload) -> Message:
        return Message("/numbers", str(payload["number"]).encode(), content_type="text/plain")

    def judge(self, status: int, body: bytes) -> Acceptance:
        return Acceptance(stored={201: True, 503: False}.get(status))

    def rows(self, source: Any, *, origin: str) -> Iterator[StoredTransaction]:
        yield from ()


CLIENT = Numbers()
"""Read where customers are started, by `harness.workload.customers`."""
