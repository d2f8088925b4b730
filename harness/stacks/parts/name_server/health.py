"""Health checks by Route 53's rules: each address is asked at its interval, and turns after so many looks in a row.

A check that is new counts as healthy until enough looks say otherwise. Healthy is an answer with 2xx or 3xx. Unlike
Route 53's, which ask from many places and accept any certificate, these ask from one place and want the stack's own CA.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.stacks.parts.name_server.log import Log
from harness.stacks.parts.name_server.zone import Check
from harness.system import clock
from harness.system.http import DIRECT, NoAnswer
from harness.system.resolver import Fixed

WITHIN = timedelta(seconds=4)  # Route 53: as long for the connection, and 2 s more for the answer


@dataclass(frozen=True)
class State:
    """Of one check."""

    healthy: bool = True
    against: int = 0  # looks in a row that said the contrary

    def after(self, good: bool, *, threshold: int) -> State:
        """What it is after one more look."""
        if good == self.healthy:
            return State(self.healthy)
        against = self.against + 1
        return State(good) if against >= threshold else State(self.healthy, against)


class Health:
    """Of all checks of addresses; each has a thread of its own, so that a silent one delays no other."""

    def __init__(self, *, ca: Path, log: Log, every: timedelta | None = None) -> None:
        """`every`: between looks, whatever a check says itself."""
        self._ca = ca
        self._log = log
        self._every = every
        self._states: dict[str, State] = {}
        self._watched: dict[str, tuple[Check, threading.Event]] = {}

    def healthy(self, check: str) -> bool:
        """What is not watched counts as healthy."""
        return self._states.get(check, State()).healthy

    def watch(self, checks: Mapping[str, Check]) -> None:
        """From now on these, and no others."""
        for id, (check, ended) in list(self._watched.items()):
            if checks.get(id) != check:
                ended.set()
                del self._watched[id]
                self._states.pop(id, None)
        for id, check in checks.items():
            if check.address and id not in self._watched:
                ended = threading.Event()
                self._watched[id] = check, ended
                threading.Thread(target=self._go_on, args=(check, ended), daemon=True).start()

    def end(self) -> None:
        self.watch({})

    def _go_on(self, check: Check, ended: threading.Event) -> None:
        every = self._every or check.every
        while not ended.is_set():
            begin = clock.mono()
            why = look(check, ca=self._ca)
            if not ended.is_set():
                self._seen(check, why)
            ended.wait(max(0.0, (every - clock.since(begin)).total_seconds()))

    def _seen(self, check: Check, why: str) -> None:
        before = self._states.get(check.id, State())
        after = self._states[check.id] = before.after(not why, threshold=check.threshold)
        if after.healthy != before.healthy:
            said = {"check": check.id, "address": check.address, "host": check.host}
            self._log.write("health", **said, healthy=after.healthy, why=why)


def look(check: Check, *, ca: Path) -> str:
    """Ask once; returns why it is not healthy, empty where it is."""
    url = f"https://{check.host}:{check.port}{check.path}"
    try:
        answer = DIRECT.ask("GET", url, within=WITHIN, ca=ca, resolver=Fixed((check.address,)))
    except NoAnswer as error:
        return str(error)
    return "" if 200 <= answer.status < 400 else f"HTTP {answer.status}"
