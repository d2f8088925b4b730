"""Numbered transactions of the harness itself: a health page says what it likes, and a stack is steady that stores.

Each is sent through the entrance as a customer's is, and read back by the project's client. Its key is of a group that
no customers have, so nothing that is counted of customers has it: no ledger, no rows, no figure.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from harness.errors import quietly
from harness.stacks import Condition, Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.entrance import Reachable
from harness.system import clock, wait
from harness.system.http import DIRECT, Http, NoAnswer
from harness.system.recorder import Recorder
from harness.workload.client import Acceptance, Client, ClientModule, Key, Message, canonical
from harness.workload.ledger import Outcome, stored_origin
from harness.workload.rows import stored
from harness.workload.workload import HARNESS

NAME = "a transaction is stored and read back"
PATIENCE = timedelta(seconds=5)  # for the answer, as customers have it, and then for the reading
LOOKS = timedelta(milliseconds=100)
Given = TypeVar("Given")


class Trials:
    """Those of one scenario; `origin` is "<run>/<scenario>"."""

    def __init__(
        self, client: ClientModule, origin: str, recorder: Recorder, *, http: Http = DIRECT,
        patience: timedelta = PATIENCE,
    ) -> None:  # fmt: skip  # parameters in groups
        self.origin = stored_origin(origin, HARNESS)
        self._module = client
        self._recorder = recorder
        self._http = http
        self._patience = patience
        self._random = random.SystemRandom()
        self._number = 0

    def conditions(self, stack: Stack) -> list[Condition]:
        """Send the next one, and read it back; recorded as `trial.sent` before it leaves, and as `trial.end`.

        Empty where the stack has no entrance. Errors: `DrillError` where the client itself breaks.
        """
        reached = find(stack, Reachable)
        if reached is None:
            return []
        client = self._module.load()
        self._number += 1
        number, key = self._number, Key(self.origin, self._number)
        payload = self._told(lambda: client.draw(self._random))
        message = self._told(lambda: client.message(key, payload))
        text = canonical(payload)
        self._recorder.record("trial.sent", origin=self.origin, number=number, payload=text)
        begin = clock.mono()
        outcome, why, history = self._send(reached, client, message)
        answered = clock.since(begin).total_seconds()
        seen, read, read_after = f"number {number} {outcome} after {answered:.2f} s", None, None
        if outcome == "acknowledged":
            read, why = self._read_back(stack, client, number, text)
            read_after = clock.since(begin).total_seconds()
            seen += f", read back after {read_after:.2f} s" if read else ""
        self._recorder.record(
            "trial.end", origin=self.origin, number=number, outcome=outcome, why=why, history=history,
            seconds=answered, read=read, read_seconds=read_after,
        )  # fmt: skip  # arguments in groups
        ok = outcome == "acknowledged" and read is not False
        return [Condition(NAME, ok=ok, seen=f"{seen}: {why}" if why else seen)]

    def _send(self, reached: Reachable, client: Client, message: Message) -> tuple[Outcome, str, int | None]:
        entrance = reached.entrance
        try:
            answer = self._http.ask(
                message.method, entrance.url(message.path), within=self._patience, sends=message.body, ca=entrance.ca,
                resolver=entrance.resolver, content_type=message.content_type,
            )  # fmt: skip  # arguments in groups
        except NoAnswer as error:
            return "in_doubt" if error.taken else "failed", str(error), None
        found: Acceptance = self._told(lambda: client.judge(answer.status, answer.body))
        if found.stored:
            return "acknowledged", "", found.history
        said = f"{answer.status}: {answer.body[:120].decode(errors='replace')}"
        return "failed" if found.stored is False else "in_doubt", said, None

    def _read_back(self, stack: Stack, client: Client, number: int, text: str) -> tuple[bool | None, str]:
        """Whether it is there, once and as it was sent, and why not; None where there is nothing to read from."""
        reading = stored(stack)
        if reading is None:
            return None, "the stack has nothing to read it back from"
        found: list[str] = []

        def look() -> str:
            found.clear()
            with reading() as source:
                rows = client.rows(source, origin=self.origin)
                found.extend(canonical(row.payload) for row in rows if row.number == number)
            return ""

        def wrong() -> str:
            return quietly(look) or ("" if found == [text] else f"there is {' and '.join(found) or 'nothing'}")

        why = wait.poll(wrong, within=self._patience, every=LOOKS, enough=lambda said: not said)
        return not why, f"not read back within {self._patience.total_seconds():g} s: {why}" if why else ""

    def _told(self, ask: Callable[[], Given]) -> Given:
        """What the client says. Errors: `DrillError`, with its line, where it breaks."""
        try:
            return ask()
        except Exception as error:
            if (told := self._module.told(error)) is None:
                raise
            raise told from error
