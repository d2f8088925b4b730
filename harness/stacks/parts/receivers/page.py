"""The page at which people acknowledge, and where tasks for people are put: what stands in for both.

GET  /acknowledge/<token>    a page with a button: a program that only looks at links acknowledges nothing
POST /acknowledge/<token>    the button
GET  /acknowledged/<token>   200 and {"mono": …} once that was done, else 404
POST /tasks                  {"token", "text"}: a task for a person, who does it as `control.json` says
"""

from __future__ import annotations

import json
from datetime import timedelta

from harness.stacks.parts.receivers.rate import Rate
from harness.stacks.parts.receivers.served import Answer, Request
from harness.stacks.parts.receivers.store import TOKEN, Store, Taken

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Acknowledge</title></head>'
BUTTON = f"{HEAD}<body><form method=post><button>I have read this message</button></form></body></html>\n"
THANKS = f"{HEAD}<body>Noted.</body></html>\n"


class Page:
    """Fills `Service`."""

    name = "page"

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def refused(self) -> Answer:
        return Answer(403)

    @property
    def deferred(self) -> Answer:
        return Answer(503)

    def too_many(self, seconds: int) -> Answer:
        return Answer(429, after=seconds)

    def rate(self) -> Rate:
        return Rate(1000, timedelta(milliseconds=1))

    def take(self, request: Request) -> tuple[Answer, Taken | None]:
        _, verb, *rest = (*request.path.split("/", 2), "")
        token = rest[0]
        if (request.method, request.path) == ("POST", "/tasks"):
            return _task(request)
        if verb not in ("acknowledge", "acknowledged") or not TOKEN.fullmatch(token):
            return Answer(404), None
        if verb == "acknowledged":
            mono = self._store.acknowledged(token)
            return (Answer(404) if mono is None else Answer(200, json.dumps({"mono": mono}).encode())), None
        if request.method == "POST":
            self._store.acknowledge(token)
        page = THANKS if request.method == "POST" else BUTTON
        return Answer(200, page.encode(), "text/html; charset=utf-8"), None


def _task(request: Request) -> tuple[Answer, Taken | None]:
    try:
        sent = json.loads(request.body)
        token, text = sent["token"], str(sent["text"])
    except (ValueError, RecursionError, TypeError, LookupError):
        return Answer(400), None
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return Answer(400), None
    subject, _, rest = text.partition("\n")
    first = rest.partition("\n\n")[2].partition("\n")[0]  # below what the person is asked to do
    files = {"txt": text.encode(errors="replace")}
    return Answer(200), Taken("bridge", text.encode(errors="replace"), subject, first, files, token)
