"""A customer's view, once: real requests through the entrance, with the certificate verified."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from harness.stacks import Condition, Entrance
from harness.stacks.stand_in import HEALTH, READY, TRIAL
from harness.system.http import DIRECT, Http, NoAnswer

PATIENCE = timedelta(seconds=5)  # as customers have
OK = 200


class Visitor:
    """Asks at the entrance."""

    def __init__(self, entrance: Entrance, *, patience: timedelta = PATIENCE, http: Http = DIRECT) -> None:
        self._entrance = entrance
        self._patience = patience
        self._http = http

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer. Errors: `NoAnswer`, also where it is no JSON object."""
        entrance = self._entrance
        answer = self._http.ask(
            method,
            entrance.url(path),
            within=self._patience,
            sends=body,
            ca=entrance.ca,
            resolver=entrance.resolver,
        )
        try:
            said = answer.json() if answer.body else {}
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise NoAnswer(f"HTTP {answer.status}, and no object in JSON", taken=True)
        return answer.status, said

    def knock(self) -> None:
        """Ask whoever is there how he is, whatever he says. Errors: `NoAnswer`."""
        self.ask("GET", HEALTH)

    def conditions(self) -> list[Condition]:
        """Whether the platform is ready, and stores a test transaction that can be read back."""
        ready = self.ready()
        if not ready.ok:
            return [ready]
        stored, answer = self._condition("stores a test transaction", "POST", TRIAL, wanted=201)
        if not stored.ok:
            return [ready, stored]
        path = f"{TRIAL}/{answer.get('id')}"
        return [ready, stored, self._condition("reads it back", "GET", path, wanted=OK)[0]]

    def ready(self, name: str = "ready") -> Condition:
        """Whether whoever answers says that it can do its work."""
        return self._condition(name, "GET", READY, wanted=OK)[0]

    def alive(self, name: str) -> Condition:
        """Whether whoever answers says that it lives, whatever it can do."""
        return self._condition(name, "GET", HEALTH, wanted=OK)[0]

    def _condition(self, name: str, method: str, path: str, *, wanted: int) -> tuple[Condition, dict[str, Any]]:
        try:
            status, answer = self.ask(method, path)
        except NoAnswer as error:
            return Condition(name, ok=False, seen=f"{type(error).__name__}: {error}"), {}
        said = ", ".join(f"{key} {value}" for key, value in answer.items())
        return Condition(name, ok=status == wanted, seen=f"HTTP {status}: {said}"), answer
