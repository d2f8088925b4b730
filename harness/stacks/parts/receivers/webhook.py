"""A simulated pager: PagerDuty's Events API v2, and Opsgenie's Alert API v2.

Sources: https://developer.pagerduty.com/docs/events-api-v2/trigger-events and https://docs.opsgenie.com/docs/alert-api
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from harness.stacks.parts.receivers.rate import Rate
from harness.stacks.parts.receivers.served import Answer, Request
from harness.stacks.parts.receivers.store import Taken

PAGERDUTY = "/v2/enqueue"
OPSGENIE = "/v2/alerts"
LARGEST = 512_000  # bytes of an event
SEVERITIES = ("critical", "error", "warning", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")
SUMMARY, KEY = 1024, 255  # letters that PagerDuty takes


class Pager:
    """Fills `Service`."""

    name = "pager"

    @property
    def refused(self) -> Answer:
        return _json(400, status="invalid event", message="Event object is invalid", errors=["Invalid routing key"])

    @property
    def deferred(self) -> Answer:
        return _json(503, status="error", message="Service unavailable")

    def too_many(self, seconds: int) -> Answer:
        return _json(429, after=seconds, status="throttle exceeded", message="Too many events")

    def rate(self) -> Rate:
        return Rate(60, timedelta(seconds=0.5))

    def take(self, request: Request) -> tuple[Answer, Taken | None]:
        if request.method != "POST" or request.path not in (PAGERDUTY, OPSGENIE):
            return _json(404, message="Not found"), None
        if len(request.body) > LARGEST:
            return _json(413, message="Payload too large"), None
        try:
            sent = json.loads(request.body)
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            return _invalid("JSON is invalid"), None
        return _event(sent, request) if request.path == PAGERDUTY else _alert(sent, request)


def _event(sent: dict[str, Any], request: Request) -> tuple[Answer, Taken | None]:
    told = sent.get("payload")
    wrong = []
    if not isinstance(sent.get("routing_key"), str) or not sent["routing_key"]:
        wrong.append("'routing_key' is missing or blank")
    if sent.get("event_action") not in ACTIONS:
        wrong.append("'event_action' is not one of trigger, acknowledge, resolve")
    if len(str(sent.get("dedup_key", ""))) > KEY:
        wrong.append("'dedup_key' is too long")
    if not isinstance(told, dict):
        return _invalid(*wrong, "'payload' is missing or blank"), None
    if not isinstance(told.get("summary"), str) or not 0 < len(told["summary"]) <= SUMMARY:
        wrong.append("'payload.summary' is missing, blank or too long")
    if not told.get("source"):
        wrong.append("'payload.source' is missing or blank")
    if told.get("severity") not in SEVERITIES:
        wrong.append("'payload.severity' is not one of critical, error, warning, info")
    if wrong:
        return _invalid(*wrong), None
    details = told.get("custom_details")
    text = str(details.get("text", "")) if isinstance(details, dict) else ""
    answer = _json(202, status="success", message="Event processed", dedup_key=sent.get("dedup_key", ""))
    return answer, _taken(request, sent, told["summary"], text)


def _alert(sent: dict[str, Any], request: Request) -> tuple[Answer, Taken | None]:
    if not request.headers.get("authorization", "").startswith("GenieKey "):
        return _json(401, message="Could not authenticate", took=0.0), None
    if not isinstance(sent.get("message"), str) or not 0 < len(sent["message"]) <= 130:
        return _json(422, message="Request body is not processable", errors={"message": "Message is wrong"}), None
    answer = _json(202, result="Request will be processed", took=0.01, requestId="simulated")
    return answer, _taken(request, sent, sent["message"], str(sent.get("description", "")))


def _taken(request: Request, sent: dict[str, Any], subject: str, text: str) -> Taken:
    files = {"json": json.dumps(sent, indent=1, ensure_ascii=False).encode(errors="replace")}
    return Taken("pager", request.body, subject.partition("\n")[0], text.partition("\n")[0], files)


def _invalid(*errors: str) -> Answer:
    return _json(400, status="invalid event", message="Event object is invalid", errors=list(errors))


def _json(code: int, /, *, after: float | None = None, **content: object) -> Answer:
    return Answer(code, json.dumps(content).encode(), after=after)
