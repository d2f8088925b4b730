"""What both kinds of stack have of the services by which people are told: all of them simulated, in one component.

Faults ask how a service is by a real try: a message that is marked as one of an exercise and is to nobody.
"""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import NotReady, Refused
from harness.stacks.capabilities.messaging import Received
from harness.stacks.parts.ground import Ground
from harness.stacks.parts.receivers import control, store, unit
from harness.stacks.parts.receivers.control import MODES, Control
from harness.system import wait
from harness.system.http import DIRECT, Http, NoAnswer, Response

PROBE = "EXERCISE: a try of this service, to nobody"
NOBODY = "nobody@drdrill.invalid"  # a domain that there is not (RFC 2606)
PATIENCE = timedelta(seconds=1)  # for an answer to a try
DOOR = timedelta(seconds=3)  # for a port to be opened or closed
SIMULATED = "the services by which people are told (Slack, Teams, e-mail, pager, page) are simulated: nothing leaves it"
_CARD = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": PROBE}]}
_ATTACHMENT = {"contentType": "application/vnd.microsoft.card.adaptive", "content": _CARD}
TRIES: Mapping[str, Any] = {
    "slack": {"text": PROBE},
    "teams": {"type": "message", "attachments": [_ATTACHMENT]},
    "pager": {
        "routing_key": "simulated", "event_action": "trigger",
        "payload": {"summary": PROBE, "source": "drdrill", "severity": "info"},
    },
}  # fmt: skip  # a table
UNASKED = "0" * 32  # a token of no message


class Messages:
    """Fills the protocols Messaged and Interruptible."""

    def __init__(self, ground: Ground, *, address: str, http: Http = DIRECT) -> None:
        self.own: Sequence[str] = (address,)
        self._folder = unit.folder(ground)
        self._urls = unit.urls(address)
        self._http = http

    @property
    def status_page(self) -> Path:
        return self._folder / "status.html"

    def services(self) -> Mapping[str, str]:
        return self._urls

    def received(self) -> list[Received]:
        lines = [line for line in store.lines(self._folder) if line["subject"] != PROBE]
        return [
            Received(
                int(str(line["received"])), str(line["service"]), str(line["token"]), str(line["subject"]),
                str(line["first"]), kept=bool(line["file"]),
            )
            for line in lines
        ]  # fmt: skip  # arguments in groups

    def people_answer(self, after: Mapping[str, timedelta | None], *, otherwise: timedelta | None) -> None:
        self._leave(Control(self._said.modes, after, otherwise))

    def ways(self, service: str) -> Sequence[str]:
        return list(MODES.get(service, ()))

    def set_service(self, service: str, way: str) -> None:
        """Its port is open, or closed, when this returns. Errors: `NotReady` where it is not."""
        before = self._said
        self._leave(Control({**before.modes, service: way}, before.people, before.otherwise))
        down, was_down = way == "down", before.mode(service) == "down"
        if down != was_down and not wait.poll(lambda: (self.service_is(service) == "down") == down, within=DOOR):
            what = f"the port of the simulated {service} is not {'closed' if down else 'open'}"
            raise NotReady(what, hint="does the component message-receivers run?")

    def service_is(self, service: str) -> str:
        """By one try; by a second one where it should take only one message every few seconds."""
        if service not in MODES:
            raise Refused(f"there is no service {service}", hint=f"there are: {', '.join(MODES)}")
        seen = self._try(service)
        return self._try(service) if seen == "up" and self._said.mode(service) == "rate-limited" else seen

    @property
    def _said(self) -> Control:
        return control.read(self._folder)

    def _leave(self, said: Control) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        control.leave(self._folder, said)

    def _try(self, service: str) -> str:
        before = len(store.lines(self._folder))
        try:
            seen = self._mailed(service) if service == "e-mail" else _said_by(self._posted(service))
        except TimeoutError:
            return "hangs"
        except NoAnswer as error:
            return "hangs" if error.taken else "down"
        except OSError:
            return "down"
        if seen != "up" or service not in (*TRIES, "e-mail"):
            return seen
        ours = [line for line in store.lines(self._folder)[before:] if line["subject"] == PROBE]
        kept = [bool(line["file"]) for line in ours if line["service"] == service]
        return "up" if kept and all(kept) else "loses"

    def _posted(self, service: str) -> Response:
        url = self._urls[service]
        if service not in TRIES:
            return self._http.ask("GET", f"{url}/acknowledged/{UNASKED}", within=PATIENCE)
        return self._http.ask("POST", url, within=PATIENCE, sends=TRIES[service])

    def _mailed(self, service: str) -> str:
        to, letter = urlsplit(self._urls[service]), EmailMessage()
        letter["Subject"], letter["From"], letter["To"] = PROBE, NOBODY, NOBODY
        letter.set_content(PROBE)
        try:
            server = smtplib.SMTP(to.hostname or "", to.port or 25, timeout=PATIENCE.total_seconds())
            try:
                server.sendmail(NOBODY, [NOBODY], letter.as_bytes())
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            ((code, said),) = error.recipients.values()
            limited = b"too many" in said if isinstance(said, bytes) else "too many" in str(said)
            return "rate-limited" if limited else "defers" if code < 500 else "refuses"
        except smtplib.SMTPServerDisconnected:
            return "hangs"
        return "up"


def _said_by(answer: Response) -> str:
    """The way that an answer shows. The page of acknowledgements says 404 of what nobody was asked."""
    if answer.status == 200 and answer.body.lstrip().lower().startswith(b"<!doctype html"):
        return "html"
    known = {200: "up", 202: "up", 404: "up", 429: "rate-limited", 503: "defers"}
    return known.get(answer.status, "refuses")
