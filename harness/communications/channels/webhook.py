"""A pager, by the webhook of PagerDuty (Events API v2) or of Opsgenie (Alert API v2).

Both answer 202 to what they took, 400 and 422 to what they do not understand, 429 to what is too much. One message to
one person is one alert, however often it is told: by its deduplication key.
Sources: https://developer.pagerduty.com/docs/events-api-v2/trigger-events and
https://docs.opsgenie.com/docs/alert-api
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from harness.communications.channels import (
    NOBODY,
    PATIENCE,
    Acknowledgements,
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

GOOD = (200, 202)
DESCRIPTION = 15_000  # letters that Opsgenie takes
HEADLINE = 130  # letters of its message
SOURCE = "drdrill"


@dataclass(frozen=True)
class Pager:
    """Fills `Channel`.

    `shape`: whose webhook it is. An address is PagerDuty's routing key, or the name of a user of Opsgenie, where `key`
    is the integration's.
    """

    url: str = field(repr=False)
    shape: Literal["pagerduty", "opsgenie"] = "pagerduty"
    key: str = field(default="", repr=False)
    real: bool = False
    own: Collection[str] = ()  # addresses of the stack, at which something stands in for the service
    acknowledgements: Acknowledgements = NOBODY
    within: timedelta = PATIENCE
    http: Http = DIRECT
    name: str = "pager"

    def __post_init__(self) -> None:
        must_stay_here(self.url, real=self.real, own=self.own)

    def send(self, message: Message, address: str) -> Receipt:
        made = token()
        follow = link(message, self.acknowledgements, made)
        headers: Mapping[str, str] = {}
        if self.shape == "pagerduty":
            body = event(message, address, follow)
        else:
            body, headers = alert(message, address, follow), {"Authorization": f"GenieKey {self.key}"}
        try:
            answer = self.http.ask("POST", self.url, within=self.within, sends=body, headers=headers)
        except NoAnswer as error:
            raise silent(error, Receipt(self.name, made)) from None
        receipt = Receipt(self.name, made, answer.status)
        if answer.status not in GOOD or is_page(answer):
            raise refuse(answer, receipt)
        return receipt

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.acknowledgements.seen(receipt.token)


def event(message: Message, routing_key: str, follow: str) -> dict[str, Any]:
    """PagerDuty's: summary of at most 1024 letters, which a subject never has."""
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": _key(message),
        "payload": {
            "summary": message.subject,
            "source": SOURCE,
            "severity": "critical" if message.urgency == "high" else "info",
            "custom_details": {"text": message.text},
        },
        "links": [{"href": follow, "text": "Acknowledge"}] if follow else [],
    }


def alert(message: Message, user: str, follow: str) -> dict[str, Any]:
    """Opsgenie's."""
    end = f"\n\nAcknowledge: {follow}" if follow else ""
    return {
        "message": message.subject[:HEADLINE],
        "alias": _key(message),
        "description": message.text[: DESCRIPTION - len(end)] + end,
        "responders": [{"type": "user", "username": user}],
        "priority": "P1" if message.urgency == "high" else "P4",
        "source": SOURCE,
    }


def _key(message: Message) -> str:
    return hashlib.sha256(f"{message.digest} {message.whom}".encode()).hexdigest()
