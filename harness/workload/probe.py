"""One real request to the platform, over TLS, by the name that customers use, resolved as theirs is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from harness.stacks import Entrance
from harness.system.http import DIRECT, Http, NoAnswer


@dataclass(frozen=True)
class Answer:
    """What came back: `status` 0 where nothing did, and then `error` says why."""

    status: int
    body: Any
    error: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Probe:
    """Sends requests through an entrance, each on a connection of its own."""

    def __init__(self, entrance: Entrance, *, http: Http = DIRECT) -> None:
        self.entrance = entrance
        self._http = http

    def ask(
        self, method: str, path: str, *, within: timedelta, host: str = "", body: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request and wait `within` for all of its answer. Never raises for what the platform does.

        `host`: the name to ask for, where it is not that of the entrance.
        """
        url, resolver = self.entrance.url(path, host=host), self.entrance.resolver
        try:
            answer = self._http.ask(method, url, within=within, sends=body, ca=self.entrance.ca, resolver=resolver)
        except NoAnswer as error:
            return Answer(0, None, str(error))
        try:
            return Answer(answer.status, answer.json())
        except ValueError:
            return Answer(answer.status, answer.body[:200].decode(errors="replace"))
