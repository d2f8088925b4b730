"""The services by which people are told, as a stack has them: what stands in for each, and which of them are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.communications.channels import Channel


@dataclass(frozen=True)
class Received:
    """One message that a service took. It has no address, and no text but its first two lines as people see them."""

    received: int  # nanoseconds of the monotonic clock, when the service had it
    service: str  # slack, teams, pager, e-mail, bridge
    token: str  # by which whoever sent it knows it; empty: by none
    subject: str
    first: str  # line of the text
    kept: bool  # False: the service said that it took the message, and lost it


@runtime_checkable
class Messaged(Protocol):
    """A stack with something that stands in for every service by which people are told: nothing leaves it."""

    own: Sequence[str]  # the addresses at which they are
    status_page: Path  # the file that customers read

    def services(self) -> Mapping[str, str]:
        """Where each is reached, by its kind: `slack`, `teams`, `pager`, `e-mail`, and `page`, where people answer."""

    def received(self) -> list[Received]:
        """All that came in so far, in order."""

    def people_answer(self, after: Mapping[str, timedelta | None], *, otherwise: timedelta | None) -> None:
        """From now on whoever has one of these addresses acknowledges a message so long after it came in; None: never.
        `otherwise`: everybody else. It is forgotten with the stack."""


@runtime_checkable
class Reaching(Protocol):
    """A stack some of whose channels are real: people read what is sent by them.

    It may lack `Messaged` where all are that the plan names. Ask it by `harness.stacks.real`.
    """

    def real_channels(self) -> Mapping[str, Channel]:
        """By their kind, such as `slack`, each built with `real=True`. Known before the stack is started."""

    def private(self) -> Sequence[str]:
        """What of them must never be recorded: addresses of webhooks, passwords."""


@runtime_checkable
class Interruptible(Protocol):
    """For faults only: services that can be made to fail, each in ways of its own."""

    def ways(self, service: str) -> Sequence[str]:
        """How it can be; empty where there is no such service. `up` is as it should be."""

    def set_service(self, service: str, way: str) -> None:
        """Have it be so from now on; harmless when repeated. Errors: `Refused` where it cannot be so."""

    def service_is(self, service: str) -> str:
        """How it is now, by a real try that leaves no message: one of its ways, or in words what else came back."""
