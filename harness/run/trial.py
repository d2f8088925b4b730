"""Numbered transactions of the harness itself: a health page says what it likes, and a stack is steady that stores.

Each is sent through the entrance as a customer's is, and read back by the project's client. Its key is of a group that
no customers have, so nothing that is counted of customers has it: no ledger, no rows, no figure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from harness.errors import quietly
from harness.stacks import Condition, Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.entrance import Reachable
from harness.system import clock, wait
from harness.system.http import DIRECT, Http, NoAnswer
from harness.system.recorder import Recorder
from harness.workload.client import Acceptance, Client, ClientSource, Key, Message, Own, canonical, judged
from harness.workload.handed import secrets_of
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
        self, client: ClientSource, origin: str, recorder: Recorder, *, http: Http = DIRECT,
        patience: timedelta = PATIENCE,
    ) -> None:  # fmt: skip  # parameters in groups
        self.origin = stored_origin(origin, HARNESS)
        self._source = client
        self._recorder = recorder
        self._http = http
        self._patience = patience
        self._random = random.SystemRandom()
        self._sent: list[Own] = []

    @property
    def sent(self) -> Sequence[Own]:
        """All that were sent so far."""
        return self._sent

    def conditions(self, stack: Stack) -> list[Condition]:
        """Send the next one, and read it back; recorded as `trial.sent` before it leaves, and as `trial.end`.

        Empty where the stack has no entrance. Errors: `DrillError` where the client itself breaks.
        """
        reached = find(stack, Reachable)
        if reached is None:
            return []
        client = self._source.load(secrets_of(stack))
        key = Key(self.origin, len(self._sent) + 1)
        number = key.number
        payload = self._told(lambda: client.draw(self._random))
        message = self._told(lambda: client.message(key, payload))
        text, own = canonical(payload), Own(key, payload)
        self._sent.append(own)
        self._recorder.record("trial.sent", origin=self.origin, number=number, payload=text)
        begin = clock.mono()
        outcome, why, history = self._send(reached, client, message, own)
        answered = clock.since(begin).total_seconds()
        seen, read, read_after = f"number {number} {outcome} after {answered:.2f} s", None, None
        if outcome == "acknowledged":
            read, why = self._read_back(stack, client, own, text)
            read_after = clock.since(begin).total_seconds()
            seen += f", read back after {read_after:.2f} s" if read else ""
        self._recorder.record(
            "trial.end", origin=self.origin, number=number, outcome=outcome, why=why, history=history,
            seconds=answered, read=read, read_seconds=read_after,
        )  # fmt: skip  # arguments in groups
        ok = outcome == "acknowledged" and read is not False
        return [Condition(NAME, ok=ok, seen=f"{seen}: {why}" if why else seen)]

    def _send(self, reached: Reachable, client: Client, message: Message, own: Own) -> tuple[Outcome, str, int | None]:
        entrance = reached.entrance
        try:
            answer = self._http.ask(
                message.method, entrance.url(message.path), within=self._patience, sends=message.body, ca=entrance.ca,
                resolver=entrance.resolver, content_type=message.content_type, headers=message.headers,
            )  # fmt: skip  # arguments in groups
        except NoAnswer as error:
            return "in_doubt" if error.taken else "failed", str(error), None
        found: Acceptance = self._told(lambda: judged(client, *own, status=answer.status, body=answer.body))
        if found.stored:
            return "acknowledged", "", found.history
        said = f"{answer.status}: {answer.body[:120].decode(errors='replace')}"
        return "failed" if found.stored is False else "in_doubt", said, None

    def _read_back(self, stack: Stack, client: Client, own: Own, text: str) -> tuple[bool | None, str]:
        """Whether it is there, once and as it was sent, and why not; None where there is nothing to read from."""
        reading = stored(stack, client, sent=lambda _: [own], http=self._http)
        if reading is None:
            return None, "the stack has nothing to read it back from"
        found: list[str] = []

        def look() -> str:
            found.clear()
            with reading() as source:
                rows = client.rows(source, origin=self.origin)
                found.extend(canonical(row.payload) for row in rows if row.number == own.key.number)
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
            if (told := self._source.told(error)) is None:
                raise
            raise told from error
