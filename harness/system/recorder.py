"""The port through which everything says what it did. The journal is its real form."""

from __future__ import annotations

from typing import Any, Protocol


class Recorder(Protocol):
    """Where facts go."""

    def record(self, kind: str, /, **data: Any) -> None:
        """Write one fact; when this returns, it is durable. `data` must be JSON."""


class Memory:
    """A recorder that keeps facts in a list, for unit tests and for work outside a run."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, dict[str, Any]]] = []

    def record(self, kind: str, /, **data: Any) -> None:
        self.facts.append((kind, data))
