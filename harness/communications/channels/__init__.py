"""How a message leaves: one file for each service, and each fills `Channel`.

A channel says what it did and nothing else: whether to try again, and what comes next, is the sender's business. What
is not `real` never leaves this machine and its stack.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from harness.communications.message import Message
from harness.errors import Refused
from harness.system import clock
from harness.system.clock import Moment
from harness.system.http import DIRECT, Http, NoAnswer, Response

PATIENCE = timedelta(seconds=5)  # for one request
AGAIN = (408, 425, 429, 500, 503)  # HTTP statuses after which the same may be sent again
UNKNOWN = (502, 504)  # a proxy's: what stands behind it may have taken the message all the same
SHOWN = 200  # letters of an answer that are kept


@dataclass(frozen=True)
class Receipt:
    """What a service said when it took a message. `token`: by which an acknowledgement is known; empty: by none."""

    channel: str
    token: str = ""
    status: int | None = None  # as the service answered, HTTP or SMTP; None where it has no such thing


class NotSent(Exception):
    """The message was not taken, or nobody knows: the one error of a channel.

    `again`: the same may be sent once more, `after` that time where the service names one. `receipt`: of a message
    whose outcome is unknown, by which it may still be acknowledged; such a one is never sent again by this channel.
    """

    def __init__(
        self, why: str, *, again: bool = False, after: timedelta | None = None, status: int | None = None,
        receipt: Receipt | None = None,
    ) -> None:  # fmt: skip  # parameters in groups
        super().__init__(why)
        self.why = why
        self.again = again and receipt is None
        self.after = after
        self.status = status
        self.receipt = receipt

    @property
    def unknown(self) -> bool:
        return self.receipt is not None


class NotReached(Exception):
    """A person says that whoever was called is not reached, and will not be: no use in waiting. `by`: who says it."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


class Channel(Protocol):
    """One way to people."""

    @property
    def name(self) -> str:
        """Its kind, as plan and contacts call it: `slack`, `e-mail`, …"""

    @property
    def real(self) -> bool:
        """Whether people read what is sent; else something of a stack stands in for the service."""

    def send(self, message: Message, address: str) -> Receipt:
        """Send once. It takes no longer than a few seconds. Errors: `NotSent`."""

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        """When the person said that the message has reached them; None as long as nothing is known of it.

        Errors: `NotReached`."""


@runtime_checkable
class Withdrawing(Protocol):
    """A channel that goes on asking people until it is told that nobody waits for them any more."""

    def withdraw(self, receipt: Receipt) -> None:
        """Ask no more. Harmless when repeated."""


class Acknowledgements(Protocol):
    """Where people say that a message has reached them."""

    def link(self, token: str) -> str:
        """What stands in the message for people to follow; empty where there is none."""

    def seen(self, token: str) -> Moment | None:
        """When that was; None where it was not, or cannot be asked."""


@dataclass(frozen=True)
class NoAcknowledgements:
    """Fills `Acknowledgements` where nobody can be asked."""

    def link(self, token: str) -> str:
        return ""

    def seen(self, token: str) -> Moment | None:
        return None


@dataclass(frozen=True)
class AtPage:
    """Fills `Acknowledgements` by a page: people open `<url>/acknowledge/<token>` and press its button.

    `<url>/acknowledged/<token>` answers 200 and `{"mono": …}` once that was done, a reading of this machine's
    monotonic clock.
    """

    url: str
    http: Http = DIRECT

    def link(self, token: str) -> str:
        return f"{self.url}/acknowledge/{token}"

    def seen(self, token: str) -> Moment | None:
        try:
            answer = self.http.ask("GET", f"{self.url}/acknowledged/{token}", within=PATIENCE)
            mono = answer.json()["mono"] if answer.status == 200 else None
        except (NoAnswer, ValueError, TypeError, KeyError):
            return None
        return Moment(mono, mono, "the page of acknowledgements") if isinstance(mono, int) else None


NOBODY: Acknowledgements = NoAcknowledgements()


def token() -> str:
    """By which an acknowledgement is known: nobody guesses it."""
    return secrets.token_hex(16)


def link(message: Message, acknowledgements: Acknowledgements, made: str) -> str:
    """What stands in this message for people to follow; empty where it wants no acknowledgement."""
    return acknowledgements.link(made) if message.wants_acknowledgement else ""


def must_stay_here(url: str, *, real: bool, own: Collection[str] = ()) -> None:
    """What stands in for a service listens on this machine's loopback, or on an address that is the stack's `own`.

    Errors: `Refused` where a channel that is not real would send elsewhere.
    """
    host = urlsplit(url).hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback or host in own
    except ValueError:
        here = host == "localhost"
    if not real and not here:
        hint = "name the channel as real in the file of the stack, or give it a receiver of the stack"
        raise Refused(f"{host or 'nowhere'}: a channel that is not real would leave this machine", hint=hint)


def answered(answer: Response) -> str:
    """The beginning of an answer in words. An HTML page is only called that: it is not the service's."""
    said = " ".join(answer.body[: 4 * SHOWN].decode(errors="replace").split())[:SHOWN]
    return f"HTTP {answer.status}: {'an HTML page, which the service does not send' if is_page(answer) else said}"


def is_page(answer: Response) -> bool:
    """Whether it is made for people to look at: a login page, or that of a proxy."""
    return answer.body[:SHOWN].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def refuse(answer: Response, receipt: Receipt) -> NotSent:
    """What an answer that is not good means."""
    if answer.status in UNKNOWN:
        return NotSent(answered(answer), status=answer.status, receipt=receipt)
    again = answer.status in AGAIN
    return NotSent(answered(answer), again=again, after=retry_after(answer.headers), status=answer.status)


def silent(error: NoAnswer, receipt: Receipt) -> NotSent:
    """What it means that nothing came back. Where no connection was made, nothing was sent; else nobody knows."""
    return NotSent(str(error), receipt=receipt) if error.taken else NotSent(str(error), again=True)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Of `Retry-After`: seconds, or a date."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal() and len(said) < 7:
        return timedelta(seconds=int(said))
    try:
        return max(timedelta(), parsedate_to_datetime(said) - clock.now().utc)
    except (ValueError, TypeError, OverflowError):
        return None
