"""What came in at the services of a stack, for the journal: whether each message was kept, and said what it is."""

from __future__ import annotations

import html
import re

from harness.communications.message import MARK
from harness.stacks.capabilities.messaging import Messaged
from harness.system.recorder import Recorder

SAID = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)


def record_received(stack: Messaged, recorder: Recorder, *, since: int) -> None:
    """One line for each message since that reading of the clock, and for each on the page that customers read."""
    for each in stack.received():
        if each.received >= since:
            marked = each.subject.startswith(MARK) and each.first.startswith(MARK)
            recorder.record(
                "message.received", service=each.service, receipt=each.token, received=each.received, kept=each.kept,
                marked=marked,
            )  # fmt: skip  # arguments in groups
    try:
        page = stack.status_page.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for subject in SAID.findall(page):
        marked = html.unescape(subject).startswith(MARK)
        recorder.record("message.received", service="status page", receipt="", received=None, kept=True, marked=marked)
