"""The status page: one HTML file that needs nothing but itself, with all that was said of the incident, newest first.

It is replaced whole: whoever reads it sees the page before or the page after. Nobody acknowledges it.
"""

from __future__ import annotations

import html
import threading
from dataclasses import dataclass, field
from pathlib import Path

from harness.communications.channels import NotSent, Receipt
from harness.communications.message import Message
from harness.system import clock
from harness.system.clock import Moment

STYLE = """
body { font-family: sans-serif; max-width: 45em; margin: 2em auto; padding: 0 1em; line-height: 1.5; color: #222;
  overflow-wrap: break-word }
.now { padding: 1em; border-left: .5em solid #c60; background: #fff4e5 }
.resolved { border-color: #282; background: #eaf6ea }
article { border-top: 1px solid #ccc; padding: .5em 0 }
time { color: #555 }
"""
RESOLVED = ("resolution", "report")


@dataclass
class StatusPage:
    """Fills `Channel`. `file` is where the page lies; its address is only what people type to read it."""

    file: Path
    title: str
    real: bool = False
    name: str = "status page"
    _said: list[tuple[str, Message]] = field(default_factory=list)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, message: Message, address: str) -> Receipt:
        with self._one_at_a_time:
            said = [(clock.utc_text(clock.now().utc), message), *self._said]
            fresh = self.file.with_name(f"{self.file.name}.new")
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                fresh.write_text(page(self.title, said), encoding="utf-8")
                fresh.rename(self.file)
            except OSError as error:
                raise NotSent(f"the page cannot be written: {error.strerror}") from None
            self._said = said
        return Receipt(self.name)

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return None


def page(title: str, said: list[tuple[str, Message]]) -> str:
    """All of it, newest first. Nothing of a message is markup."""
    newest = next((message for _, message in said if message.kind != "report"), said[0][1])  # a report changes nothing
    state = "now resolved" if newest.kind in RESOLVED else "now"
    articles = "".join(_article(moment, message) for moment, message in said)
    name = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(newest.subject)} · {name}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{name}</h1>\n"
        f'<p class="{state}"><strong>{html.escape(newest.subject)}</strong></p>\n{articles}</body></html>\n'
    )


def _article(moment: str, message: Message) -> str:
    lines = "<br>".join(html.escape(line) for line in message.text.splitlines())
    when = f"{moment[:10]} {moment[11:16]} UTC"
    head = f'<h2>{html.escape(message.subject)}</h2><p><time datetime="{moment}">{when}</time></p>'
    return f"<article>{head}<p>{lines}</p></article>\n"
