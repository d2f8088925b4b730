"""What a client's file says, once it is read: the parts that `client` sends, compares and reads by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from harness.errors import Refused
from harness.workload.client import Message
from harness.workload.plain.draws import Draw
from harness.workload.plain.query import Query
from harness.workload.plain.templates import Template, Values, Words, fill, parsed, same, seen, wanted, written

GOOD = range(200, 300)  # statuses of an answer of which only the body is said: an error may repeat what was sent
CONTENT_TYPE = "content-type"
JSON = "application/json"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Request:
    """A request with places in it."""

    method: str
    path: Words
    headers: Mapping[str, Words] = field(default_factory=dict)
    body: Template | None = None

    def message(self, values: Values) -> Message:
        """Errors: `Refused` where what stands in a header cannot: a secret with a line's end, say."""
        given = {name: words.fill(values) for name, words in self.headers.items()}
        for name, value in given.items():
            if _CONTROL.search(value) or not value.isascii():
                raise Refused(
                    f"what {', '.join(self.headers[name].names)} stands for cannot be put into the header {name}",
                    hint="it is of printable ASCII letters in one line",
                )
        types = [value for name, value in given.items() if name.lower() == CONTENT_TYPE]
        return Message(
            path=self.path.fill(values, quote=lambda value: quote(value, safe="")),
            body=b"" if self.body is None else written(fill(self.body, values)).encode(),
            method=self.method,
            content_type=types[0] if types else JSON,
            headers={name: value for name, value in given.items() if name.lower() != CONTENT_TYPE},
        )


@dataclass(frozen=True)
class Answer:
    """Which answers are meant."""

    statuses: frozenset[int] = frozenset()  # none: any of `GOOD`
    body: Template | None = None  # None: whatever it says

    def fits(self, status: int) -> bool:
        return status in (self.statuses or GOOD)

    def matches(self, status: int, body: bytes, values: Values) -> bool:
        """By the status, and by what the body says at each place that is named."""
        if not self.fits(status):
            return False
        if self.body is None:
            return True
        try:
            return same(self.says(body), wanted(self.body, values))
        except ValueError:
            return False

    def says(self, body: bytes) -> Any:
        """What the body says at those places. Errors: `ValueError` where it is no JSON."""
        return seen(self.body, parsed(body))


@dataclass(frozen=True)
class Look:
    """How one is asked for, and what the answer says of it. The body of `there` is one, or a list of such."""

    request: Request
    there: Answer
    gone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Removal:
    """How one is removed, and which answers say that it is."""

    request: Request
    gone: frozenset[int]


@dataclass(frozen=True)
class Said:
    """All that a file says."""

    draws: Mapping[str, Draw]
    write: Request
    stored: Answer
    not_stored: frozenset[int]
    read: Query | Look
    ask: Look | None = None
    clean_up: Query | Removal | None = None
    secrets: tuple[str, ...] = ()
    rate: float | None = None  # transactions a second; None: as many as usual
