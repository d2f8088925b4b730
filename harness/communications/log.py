"""What is said of messages in the journal: roles and channels, and never an address.

It is told from several threads, and after its end by none: a journal that is sealed has no later line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from harness.communications.channels import Channel, NotSent, Receipt
from harness.communications.message import Message
from harness.communications.pace import Pace
from harness.system.recorder import Recorder


class Log:
    """`mask`: takes every private word out of a text, such as an address that a library quotes."""

    def __init__(self, recorder: Recorder, *, mask: Callable[[str], str], pace: Pace) -> None:
        self._recorder = recorder
        self._mask = mask
        self._ratio = pace.ratio
        self._lock = threading.Lock()
        self._ended = False
        self._known: set[tuple[str, str]] = set()  # which message was acknowledged, and of which role

    def message(self, message: Message, *, about: str, channels: Sequence[str], instead_of: str = "") -> None:
        """It is about to go out. `about`: the digest of the first of those that are sent on to deputies."""
        with self._lock:
            if not self._ended:
                self._recorder.record(
                    "message", message=about, digest=message.digest, what=message.kind, whom=message.whom,
                    instead_of=instead_of, template=message.template,
                    fields=list(message.fields), open=list(message.open),
                    exercise=message.exercise, marked=message.is_marked, urgency=message.urgency,
                    acknowledge=message.wants_acknowledgement, channels=list(channels), ratio=self._ratio,
                )  # fmt: skip  # arguments in groups

    def attempt(
        self, about: str, role: str, channel: Channel, *, number: int, took: timedelta, end: Receipt | NotSent
    ) -> None:
        """One try of one channel."""
        ok = True if isinstance(end, Receipt) else None if end.unknown else False
        receipt = end if isinstance(end, Receipt) else end.receipt
        after = end.after.total_seconds() if isinstance(end, NotSent) and end.after is not None else None
        with self._lock:
            if not self._ended:
                self._recorder.record(
                    "message.attempt", message=about, role=role, channel=channel.name, real=channel.real,
                    attempt=number, ok=ok, status=end.status, seconds=took.total_seconds(), retry_after=after,
                    why="" if isinstance(end, Receipt) else self._mask(end.why),
                    receipt=receipt.token if receipt else "",
                )  # fmt: skip  # arguments in groups

    def acknowledged(self, about: str, role: str, *, by: str, channel: Channel, after: timedelta, said_by: str) -> None:
        """`by`: the role itself, or a deputy. `after`: since the message began to go out to the role, in real time.

        By a channel that is not real nobody answers: something stands in for people."""
        with self._lock:
            self._known.add((about, role))
            if not self._ended:
                self._recorder.record(
                    "message.acknowledged", message=about, role=role, by=by, channel=channel.name,
                    attended=channel.real, after=after.total_seconds(), said_by=said_by, ratio=self._ratio,
                )  # fmt: skip  # arguments in groups

    def not_reached(self, about: str, role: str, *, whom: str, channel: Channel, said_by: str) -> None:
        """A person says so. `whom`: the role itself, or a deputy."""
        with self._lock:
            if not self._ended:
                self._recorder.record(
                    "message.not_reached", message=about, role=role, whom=whom, channel=channel.name,
                    said_by=self._mask(said_by),
                )  # fmt: skip  # arguments in groups

    def given_up(self, about: str, role: str, *, channels: Sequence[str], why: str, after: timedelta) -> None:
        """Nobody will try any more, by these channels."""
        with self._lock:
            if not self._ended and (about, role) not in self._known:
                self._recorder.record(
                    "message.given_up", message=about, role=role, channels=list(channels), why=self._mask(why),
                    after=after.total_seconds(), ratio=self._ratio,
                )  # fmt: skip  # arguments in groups

    def end(self) -> None:
        """Nothing is recorded any more."""
        with self._lock:
            self._ended = True
