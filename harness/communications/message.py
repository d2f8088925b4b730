"""One message, as every channel sends it. Here, and nowhere else, it is marked as one of an exercise."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import Refused

Kind = Literal["call-out", "initial", "update", "resolution", "report"]
Urgency = Literal["high", "normal"]
MARK = "EXERCISE"
FIRST_LINE = f"{MARK} - this is a drill, and no real incident."
LONGEST_SUBJECT = 150  # letters: Slack and PagerDuty cut what is longer
LONGEST = 20_000  # letters of a text
CALL_OUT: Kind = "call-out"  # the one kind that wants an acknowledgement


@dataclass(frozen=True)
class Message:
    """To a role or a group. Use `of`, which marks an exercise; `text` is plain, and `html` is the same for mail."""

    kind: Kind
    whom: str
    subject: str
    text: str
    urgency: Urgency = "normal"
    template: str = ""  # the file that it was made from
    fields: tuple[str, ...] = ()  # of the template, all of them filled
    exercise: bool = True
    open: tuple[str, ...] = ()  # fields of which it says that they are under investigation
    instead_of: str = ""  # the role that has not acknowledged it, where it goes to a deputy

    @classmethod
    def of(
        cls, kind: Kind, whom: str, subject: str, text: str, *, urgency: Urgency = "normal", template: str = "",
        fields: Sequence[str] = (), exercise: bool = True, environment: str = "",
    ) -> Message:  # fmt: skip  # parameters in groups
        """Errors: `Refused` where it says that it is no exercise outside of production, is empty or too long."""
        if not exercise and environment != "production":
            raise Refused(
                f"a message in the environment {environment or 'of no name'} cannot go out as a real one",
                hint="only a stack of the class production may send what is no exercise",
            )
        subject, text = " ".join(_visible(subject).split()), _visible(text).strip()
        if not subject or not text:
            raise Refused(f"the message {kind} to {whom} has no {'text' if subject else 'subject'}", hint=_TEMPLATE)
        if exercise:
            subject, text = f"{MARK}: {subject}", f"{FIRST_LINE}\n\n{text}"
        if len(subject) > LONGEST_SUBJECT or len(text) > LONGEST:
            said = f"{len(subject)} letters of subject and {len(text)} of text"
            most = f"at most {LONGEST_SUBJECT} and {LONGEST}"
            raise Refused(f"the message {kind} to {whom} is too long: {said}, {most}", hint=_TEMPLATE)
        return cls(kind, whom, subject, text, urgency, template, tuple(fields), exercise)

    @property
    def is_marked(self) -> bool:
        """Whether subject and first line say that it is an exercise: looked at anew, for the record."""
        return self.subject.startswith(MARK) and self.text.startswith(MARK)

    @property
    def wants_acknowledgement(self) -> bool:
        """Whoever is called says that they know; whoever is only told need not."""
        return self.kind == CALL_OUT

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of what is said: it is the same message, whomever it goes to."""
        said = "\x00".join((self.kind, self.subject, self.text))
        return hashlib.sha256(said.encode(errors="replace")).hexdigest()

    @property
    def html(self) -> str:
        """The text as a page of its own: paragraphs and lines as they were, and nothing in it is markup."""
        blocks = [block for block in self.text.split("\n\n") if block.strip()]
        said = ["<br>".join(html.escape(line) for line in block.splitlines()) for block in blocks]
        if self.exercise:
            said[0] = f"<strong>{said[0]}</strong>"
        paragraphs = "\n".join(f"<p>{block}</p>" for block in said)
        head = f'<meta charset="utf-8"><title>{html.escape(self.subject)}</title>'
        body = f'<body style="{_STYLE}">\n{paragraphs}\n</body>'
        return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n{body}</html>\n'

    def for_deputy(self, deputy: str) -> Message:
        """The same to whoever stands in: it says for whom."""
        first, blank, rest = self.text.partition("\n\n")
        note = f"You stand in for the {self.whom}, who has not acknowledged this."
        text = f"{first}\n\n{note}\n\n{rest}" if self.exercise and blank else f"{note}\n\n{self.text}"
        return replace(self, whom=deputy, text=text, instead_of=self.whom)


_TEMPLATE = "look at the template and at what fills its fields"
_STYLE = "font-family: sans-serif; max-width: 40em; margin: 1.5em; line-height: 1.5"


def _visible(text: str) -> str:
    """Without what ends a line in the wrong place, or cannot be sent: control characters, lone surrogates."""
    sound = text.encode("utf-8", errors="replace").decode().replace("\r\n", "\n")
    return "".join(char for char in sound if char in "\n\t" or char.isprintable())
