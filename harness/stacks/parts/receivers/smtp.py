"""A simulated mail server, by aiosmtpd: it takes mail for anybody, and keeps it. It offers no STARTTLS.

What it says otherwise is of RFC 5321, with the enhanced codes of RFC 3463.
"""

from __future__ import annotations

import asyncio
import email
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from harness.stacks.parts.receivers import control
from harness.stacks.parts.receivers.door import LOOKS_EVERY, Door
from harness.stacks.parts.receivers.rate import Rate, limited
from harness.stacks.parts.receivers.served import HANGS_AT_MOST
from harness.stacks.parts.receivers.store import TOKEN, Store, Taken

NAME = "e-mail"
OURS = "simulated.invalid"  # its name, which is not looked up: no name server may answer where it stands
LARGEST = 10_000_000  # bytes
DEFERRED = "451 4.3.0 try again later"
TOO_MANY = "450 4.7.1 too many messages, try again later"


class Handler:
    """What the server does, by its mode. The names of the methods are aiosmtpd's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limited: Rate = limited()

    @property
    def mode(self) -> str:
        return control.read(self._store.folder).mode(NAME)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await _while(lambda: self.mode == "hangs")
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if self.mode == "refuses":
            return f"550 5.1.1 <{address}>: recipient address rejected"
        if self.mode == "defers":
            return DEFERRED
        if self.mode == "rate-limited" and self._limited.wait():
            return TOO_MANY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        self._store.keep(_taken(content), lost=self.mode == "loses")
        return "250 2.0.0 Ok: queued"


class Mail:
    """Opens and closes the port, as `Served` does for the others."""

    def __init__(self, address: tuple[str, int], store: Store) -> None:
        """Errors: `OSError` where the port is taken."""
        handler = Handler(store)

        def opened() -> Callable[[], object]:
            server = Controller(
                handler, hostname=address[0], port=address[1], server_hostname=OURS, data_size_limit=LARGEST,
                ident="simulated",
            )  # fmt: skip  # arguments in groups
            server.start()
            return server.stop

        self._door = Door(NAME, opened, wanted=lambda: handler.mode != "down")

    def stop(self) -> None:
        self._door.stop()


def _taken(content: bytes) -> Taken:
    """The mail as it came, and its two texts as files of their own."""
    read = email.message_from_bytes(content, policy=default)
    files = {"eml": content}
    texts = {}
    for ending, kind in (("txt", "plain"), ("html", "html")):
        part = read.get_body((kind,)) if isinstance(read, EmailMessage) else None
        if part is not None:
            texts[ending] = part.get_content().replace("\r\n", "\n")
            files[ending] = texts[ending].encode(errors="replace")
    subject, mark = str(read.get("Subject", "")), str(read.get("Message-ID", "")).strip("<>").partition("@")[0]
    first = texts.get("txt", "").partition("\n")[0]
    body = "\n".join([content.decode(errors="replace"), *texts.values()])  # as it came, and as it is read
    return Taken(NAME, body.encode(errors="replace"), subject, first, files, mark if TOKEN.fullmatch(mark) else "")


async def _while(condition: Callable[[], bool]) -> None:
    """Wait as long as it holds, and not for ever."""
    never: Awaitable[object] = asyncio.get_running_loop().create_future()
    with suppress(TimeoutError):
        async with asyncio.timeout(HANGS_AT_MOST):
            while condition():
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(never), LOOKS_EVERY)
