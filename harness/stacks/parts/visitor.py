"""A customer's view, once: real requests through the entrance, with the certificate verified."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from harness.stacks import Condition, Entrance

PATIENCE = 5.0  # seconds, as customers have


class Visitor:
    """Asks at the entrance; `patience` in seconds."""

    def __init__(self, entrance: Entrance, *, patience: float = PATIENCE) -> None:
        self._entrance = entrance
        self._patience = patience
        self._tls = ssl.create_default_context(cafile=str(entrance.ca))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer. Errors: `OSError` (also `http.client`'s, as ConnectionError)."""
        entrance = self._entrance
        connection = http.client.HTTPSConnection(
            entrance.host, entrance.port, timeout=self._patience, context=self._tls
        )
        plain = entrance.open(within=self._patience)
        try:
            connection.sock = self._tls.wrap_socket(plain, server_hostname=entrance.host)
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()
            plain.close()

    def conditions(self) -> list[Condition]:
        """Whether the platform is ready, and stores a test transaction that can be read back."""
        ready = self.ready()
        if not ready.ok:
            return [ready]
        stored, answer = self._condition("stores a test transaction", "POST", "/test/transaction", wanted=201)
        if not stored.ok:
            return [ready, stored]
        path = f"/test/transaction/{answer.get('id')}"
        return [ready, stored, self._condition("reads it back", "GET", path, wanted=200)[0]]

    def ready(self, name: str = "ready") -> Condition:
        """Whether whoever answers says that it can do its work."""
        return self._condition(name, "GET", "/ready", wanted=200)[0]

    def _condition(self, name: str, method: str, path: str, *, wanted: int) -> tuple[Condition, dict[str, Any]]:
        try:
            status, answer = self.ask(method, path)
        except OSError as error:
            return Condition(name, ok=False, seen=f"{type(error).__name__}: {error}"), {}
        said = ", ".join(f"{key} {value}" for key, value in answer.items())
        return Condition(name, ok=status == wanted, seen=f"HTTP {status}: {said}"), answer
