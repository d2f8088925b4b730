"""A simulated Microsoft Teams: the webhook of a workflow, which posts an Adaptive Card.

Sources: https://learn.microsoft.com/connectors/teams (28 kB, "request entity too large") and
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (four a second)
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from harness.stacks.parts.receivers.rate import Rate
from harness.stacks.parts.receivers.served import Answer, Request
from harness.stacks.parts.receivers.store import Taken

PATH = "/workflows/simulated/triggers/manual/paths/invoke"
LARGEST = 28_000  # bytes
CARD = "application/vnd.microsoft.card.adaptive"


class Teams:
    """Fills `Service`."""

    name = "teams"

    @property
    def refused(self) -> Answer:
        return _error(403, "DirectApiAuthorizationRequired", "The request is not authorized for this workflow.")

    @property
    def deferred(self) -> Answer:
        return _error(503, "ServiceUnavailable", "The service is temporarily unavailable.")

    def too_many(self, seconds: int) -> Answer:
        return _error(429, "TooManyRequests", "Rate limit is exceeded.", after=seconds)

    def rate(self) -> Rate:
        return Rate(4, timedelta(seconds=0.25))

    def take(self, request: Request) -> tuple[Answer, Taken | None]:
        if request.path.partition("?")[0] != PATH:
            return _error(404, "WorkflowNotFound", "The workflow could not be found."), None
        if request.method != "POST":
            return _error(405, "MethodNotAllowed", "The method is not allowed."), None
        if len(request.body) > LARGEST:
            return _error(413, "RequestEntityTooLarge", "Request entity too large."), None
        try:
            sent = json.loads(request.body)
            card = _card(sent)
        except (ValueError, RecursionError, TypeError, LookupError):
            return _error(400, "TriggerInputSchemaMismatch", "The input body does not match its schema."), None
        lines = [str(each["text"]) for each in card["body"] if each.get("type") == "TextBlock"]
        subject, first = (*lines, "", "")[:2]
        files = {"json": json.dumps(sent, indent=1, ensure_ascii=False).encode(errors="replace")}
        return Answer(202), Taken(self.name, request.body, subject, first, files)


def _card(sent: Any) -> dict[str, Any]:
    """Errors: `ValueError`, `TypeError`, `LookupError` where there is none."""
    (attachment,) = sent["attachments"]
    card = attachment["content"]
    sound = sent["type"] == "message" and attachment["contentType"] == CARD and card["type"] == "AdaptiveCard"
    if not sound or float(card["version"]) > 1.5 or not all(isinstance(each, dict) for each in card["body"]):
        raise ValueError("no card")
    return dict(card)


def _error(status: int, code: str, message: str, *, after: float | None = None) -> Answer:
    return Answer(status, json.dumps({"error": {"code": code, "message": message}}).encode(), after=after)
