"""A simulated Slack: an incoming webhook, with its rules and its words.

Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks ("Handling errors"),
https://docs.slack.dev/reference/block-kit/blocks (limits), and
https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from harness.stacks.parts.receivers.rate import Rate
from harness.stacks.parts.receivers.served import Answer, Request
from harness.stacks.parts.receivers.store import Taken

PATH = "/services/T0SIMULATED/B0SIMULATED/simulated"
MOST_BLOCKS = 50
LONGEST = {"header": 150, "section": 3000}  # letters of a block's text


class Slack:
    """Fills `Service`."""

    name = "slack"

    @property
    def refused(self) -> Answer:
        return _word(403, "action_prohibited")

    @property
    def deferred(self) -> Answer:
        return _word(503, "service_unavailable")

    def too_many(self, seconds: int) -> Answer:
        return Answer(429, b"rate_limited", "text/html", after=seconds)

    def rate(self) -> Rate:
        """One a second, and short bursts of more."""
        return Rate(10, timedelta(seconds=1))

    def take(self, request: Request) -> tuple[Answer, Taken | None]:
        if request.path != PATH or request.method != "POST":
            return _word(404, "no_service"), None
        try:
            sent = json.loads(request.body)
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            return _word(400, "invalid_payload"), None
        blocks = sent.get("blocks", [])
        if not sent.get("text") and not blocks:
            return _word(400, "no_text"), None
        if not _sound(blocks):
            return _word(400, "invalid_blocks"), None
        texts = [each["text"]["text"] for each in blocks if each.get("text")] or [str(sent["text"])]
        subject, first = texts[0], texts[1] if len(texts) > 1 else texts[0]
        files = {"json": json.dumps(sent, indent=1, ensure_ascii=False).encode(errors="replace")}
        return _word(200, "ok"), Taken(self.name, request.body, _line(subject), _line(first), files)


def _sound(blocks: Any) -> bool:
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS:
        return False
    for block in blocks:
        text = block.get("text") if isinstance(block, dict) else None
        if not isinstance(text, dict) or not isinstance(text.get("text"), str) or block.get("type") not in LONGEST:
            return False
        if not 0 < len(text["text"]) <= LONGEST[block["type"]]:
            return False
    return True


def _word(status: int, word: str) -> Answer:
    return Answer(status, word.encode(), "text/html")  # as Slack says it, also of what is no page


def _line(text: str) -> str:
    return text.partition("\n")[0]
