"""Microsoft Teams, by the webhook of a workflow: an Adaptive Card 1.4, which names the person.

A good answer is 202, with nothing in it; a message may have 28 kB, what is larger is 413; more than four a second are
429. Source: https://learn.microsoft.com/connectors/teams, "Known issues and limitations with actions", and
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from harness.communications.channels import (
    NOBODY,
    PATIENCE,
    Acknowledgements,
    NotSent,
    Receipt,
    is_page,
    link,
    must_stay_here,
    refuse,
    silent,
    token,
)  # fmt: skip  # a list
from harness.communications.message import Message
from harness.system.clock import Moment
from harness.system.http import DIRECT, Http, NoAnswer

LARGEST = 28_000  # bytes
GOOD = (200, 202)


@dataclass(frozen=True)
class Teams:
    """Fills `Channel`. `url`: of the workflow, which is a secret."""

    url: str = field(repr=False)
    real: bool = False
    own: Collection[str] = ()  # addresses of the stack, at which something stands in for the service
    acknowledgements: Acknowledgements = NOBODY
    within: timedelta = PATIENCE
    http: Http = DIRECT
    name: str = "teams"

    def __post_init__(self) -> None:
        must_stay_here(self.url, real=self.real, own=self.own)

    def send(self, message: Message, address: str) -> Receipt:
        made = token()
        body = json.dumps(payload(message, address, link(message, self.acknowledgements, made))).encode()
        if len(body) > LARGEST:
            raise NotSent(f"the card has {len(body)} bytes, and may have {LARGEST}")
        try:
            answer = self.http.ask("POST", self.url, within=self.within, sends=body)
        except NoAnswer as error:
            raise silent(error, Receipt(self.name, made)) from None
        receipt = Receipt(self.name, made, answer.status)
        if answer.status not in GOOD or is_page(answer):
            raise refuse(answer, receipt)
        return receipt

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.acknowledgements.seen(receipt.token)


def payload(message: Message, address: str, follow: str) -> dict[str, Any]:
    """One card. Each line is a block of plain text: Teams would read marks in it as Markdown, so they are escaped."""
    mention = f"<at>{message.whom}</at>"
    lines = [line for line in message.text.splitlines() if line.strip()]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _block(_plain(message.subject), weight="Bolder", size="Medium"),
            *(_block(_plain(line)) for line in lines),
            _block(mention),
        ],
        "msteams": {
            "width": "Full",
            "entities": [
                {"type": "mention", "text": mention, "mentioned": {"id": address, "name": message.whom}},
            ],
        },
    }
    if follow:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Acknowledge", "url": follow}]
    content = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content, "contentUrl": None, "content": card}]}


def _block(text: str, **more: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}


def _plain(text: str) -> str:
    return "".join(f"\\{char}" if char in r"\*_[]" else char for char in text)
