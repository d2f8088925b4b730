"""One real request to the platform, over TLS, by the name that customers use and at the address that they reach."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import urllib3

from harness.stacks import Entrance
from harness.system import clock


@dataclass(frozen=True)
class Answer:
    """What came back: `status` 0 where nothing did, and then `error` says why."""

    status: int
    body: Any
    length: timedelta
    error: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Probe:
    """Sends requests through an entrance. No retries, no redirects, a new connection each time."""

    def __init__(self, entrance: Entrance) -> None:
        self.entrance = entrance

    def ask(
        self, method: str, path: str, *, within: timedelta, host: str = "", body: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request and wait `within` for all of its answer. Never raises for what the platform does."""
        name = host or self.entrance.host
        begin = clock.mono()
        try:
            address = self._address(within)
        except OSError as error:
            return Answer(0, None, clock.since(begin), f"{type(error).__name__}: {error}")
        pool = urllib3.HTTPSConnectionPool(
            address,
            self.entrance.port,
            ca_certs=str(self.entrance.ca),
            server_hostname=name,
            assert_hostname=name,
            timeout=urllib3.Timeout(total=max(0.001, (within - clock.since(begin)).total_seconds())),
            retries=False,
        )
        try:
            answer = pool.request(
                method, path, headers={"Host": name}, redirect=False, **({"json": body} if body is not None else {})
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, None, clock.since(begin), f"{type(error).__name__}: {error}")
        finally:
            pool.close()
        try:
            parsed = json.loads(answer.data)
        except ValueError:
            parsed = answer.data[:200].decode(errors="replace")
        return Answer(answer.status, parsed, clock.since(begin))

    def _address(self, within: timedelta) -> str:
        """The address that a client would use: the first of the entrance's that takes a connection."""
        if len(self.entrance.addresses) == 1:
            return self.entrance.addresses[0]
        with self.entrance.open(within=within.total_seconds()) as opened:
            return str(opened.getpeername()[0])
