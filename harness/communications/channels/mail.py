"""E-mail by SMTP: plain text and HTML of the same message, with STARTTLS where the server offers it.

A server's 4xx is for now, its 5xx is for good (RFC 5321, 4.2.1). Once the text is under way and no answer comes,
nobody knows: it is not sent again.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from harness.communications.channels import (
    NOBODY,
    PATIENCE,
    Acknowledgements,
    NotSent,
    Receipt,
    link,
    must_stay_here,
    token,
)  # fmt: skip  # a list
from harness.communications.message import Message
from harness.system import clock
from harness.system.clock import Moment

GOOD = (250, 251)
_BUTTON = "display: inline-block; padding: .6em 1.2em; background: #06c; color: #fff; text-decoration: none"


@dataclass(frozen=True)
class Login:
    """Who sends, where the server wants to know. It is told only over TLS."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """Fills `Channel`. `sender`: the address that people see. `within`: for each answer of the server."""

    host: str
    port: int
    sender: str
    real: bool = False
    own: Collection[str] = ()  # addresses of the stack, at which something stands in for the service
    login: Login | None = field(default=None, repr=False)
    ca: str | None = None  # a file: the authority of the server's certificate; None takes this machine's
    acknowledgements: Acknowledgements = NOBODY
    within: timedelta = PATIENCE
    name: str = "e-mail"

    def __post_init__(self) -> None:
        must_stay_here(f"smtp://{self.host}:{self.port}", real=self.real, own=self.own)

    def send(self, message: Message, address: str) -> Receipt:
        made = token()
        follow = link(message, self.acknowledgements, made)
        try:
            written = letter(message, self.sender, address, made, follow).as_bytes(policy=SMTP)
            ours = self.sender.rpartition("@")[2]
            server = smtplib.SMTP(self.host, self.port, local_hostname=ours, timeout=self.within.total_seconds())
            try:
                return self._deliver(server, written, address, Receipt(self.name, made))
            finally:
                server.close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _before(error) from None

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.acknowledgements.seen(receipt.token)

    def _deliver(self, server: smtplib.SMTP, written: bytes, address: str, unknown: Receipt) -> Receipt:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            _good(server.starttls(context=ssl.create_default_context(cafile=self.ca)), 220)
            server.ehlo()
        elif self.login:
            raise NotSent("the server offers no STARTTLS, and a password is told to none without")
        if self.login:
            server.login(self.login.user, self.login.password)
        _good(server.mail(self.sender), *GOOD)
        _good(server.rcpt(address), *GOOD)
        try:
            code, said = server.data(written)
        except smtplib.SMTPResponseException:  # before the text was asked for
            raise
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"no answer to the text: {error}", receipt=unknown) from None
        _good((code, said), *GOOD)
        return Receipt(unknown.channel, unknown.token, code)


def letter(message: Message, sender: str, address: str, mark: str, follow: str) -> EmailMessage:
    """`mark`: its Message-ID, by which it is known again. Errors: `ValueError` for an address that is none."""
    made = EmailMessage()
    made["Subject"] = message.subject
    made["From"], made["To"] = sender, address
    made["Date"] = format_datetime(clock.now().utc)
    made["Message-ID"] = f"<{mark}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # no out-of-office answers (RFC 3834)
    if message.urgency == "high":
        made["X-Priority"] = "1"
    end = f"\n\nAcknowledge: {follow}" if follow else ""
    made.set_content(message.text + end + "\n")
    button = f'<p><a href="{follow}" style="{_BUTTON}">Acknowledge</a></p>\n</body>' if follow else "</body>"
    made.add_alternative(message.html.replace("</body>", button), subtype="html")
    return made


def _good(answer: tuple[int, bytes], *wanted: int) -> None:
    """Errors: `SMTPResponseException` where it is another."""
    code, said = answer
    if code not in wanted:
        raise smtplib.SMTPResponseException(code, said)


def _before(error: Exception) -> NotSent:
    """What broke before the text was under way, or was answered."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
        why, code = f"SMTP {error.smtp_code}: {' '.join(said.split())[:200]}", error.smtp_code
        return NotSent(why, again=400 <= code < 500, status=code)
    if isinstance(error, TimeoutError):
        return NotSent("the server did not answer in time", again=True)
    if isinstance(error, ssl.SSLError | ValueError | smtplib.SMTPNotSupportedError):
        return NotSent(f"{type(error).__name__}: {error}")
    return NotSent(f"{type(error).__name__}: {error}", again=True)
