"""Slack, by an incoming webhook: one post to the channel of the webhook, which names the person.

A good answer is 200 and `ok`; what is wrong is a word: `invalid_payload`, `no_text` (400), `action_prohibited` (403),
`channel_not_found` and `no_service` (404), `channel_is_archived` (410), `rollup_error` (500); 429 has `Retry-After`.
More than about one post a second is too many.
Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from slack_sdk.webhook import WebhookClient, WebhookResponse

from harness.communications.channels import (
    NOBODY,
    PATIENCE,
    Acknowledgements,
    Receipt,
    link,
    must_stay_here,
    refuse,
    silent,
    token,
)  # fmt: skip  # a list
from harness.communications.message import Message
from harness.system.clock import Moment
from harness.system.http import DIRECT, Http, NoAnswer, Response

SECTION = 3000  # letters of a section; what is longer stands in several
SILENT = logging.Logger("slack", level=logging.CRITICAL + 1)  # its errors are told by what they mean


@dataclass(frozen=True)
class Slack:
    """Fills `Channel`. `url`: of the webhook, which is a secret."""

    url: str = field(repr=False)
    real: bool = False
    own: Collection[str] = ()  # addresses of the stack, at which something stands in for the service
    acknowledgements: Acknowledgements = NOBODY
    within: timedelta = PATIENCE
    http: Http = DIRECT
    name: str = "slack"

    def __post_init__(self) -> None:
        must_stay_here(self.url, real=self.real, own=self.own)

    def send(self, message: Message, address: str) -> Receipt:
        made = token()
        client = _Client(self.url, self.http, self.within)
        try:
            said = client.send_dict(payload(message, address, link(message, self.acknowledgements, made)))
        except NoAnswer as error:
            raise silent(error, Receipt(self.name, made)) from None
        receipt = Receipt(self.name, made, said.status_code)
        if said.status_code != 200 or said.body.strip() != "ok":
            raise refuse(Response(said.status_code, said.body.encode(), said.headers), receipt)
        return receipt

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.acknowledgements.seen(receipt.token)


def payload(message: Message, address: str, follow: str) -> dict[str, Any]:
    """What is posted: `text` is what a notification shows, the blocks are what is read. Nothing of it is markup."""
    who = address if address.startswith("@") else f"<@{address}>"
    sections = [message.text[at : at + SECTION] for at in range(0, len(message.text), SECTION)]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject, "emoji": False}},
        *({"type": "section", "text": {"type": "plain_text", "text": part, "emoji": False}} for part in sections),
        {"type": "section", "text": {"type": "mrkdwn", "text": who}},
    ]
    if follow:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{follow}|Acknowledge>"}})
    return {"text": f"{_plain(message.subject)} {who}", "blocks": blocks, "unfurl_links": False}


def _plain(text: str) -> str:
    """As Slack writes what is no markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Client(WebhookClient):
    """Slack's own, over the one HTTP client: no proxy of the user's environment, no redirect, and one limit for all.

    Nothing is tried again here: a post that broke off may have arrived.
    """

    def __init__(self, url: str, http: Http, within: timedelta) -> None:
        super().__init__(url, retry_handlers=[], logger=SILENT)
        self._http, self._within = http, within

    def _perform_http_request_internal(self, url: str, req: Any) -> WebhookResponse:
        answer = self._http.ask("POST", url, within=self._within, sends=req.data)
        body = answer.body.decode(errors="replace")
        return WebhookResponse(url=url, status_code=answer.status, body=body, headers=dict(answer.headers))
