"""What came in: a file for people, a line for whoever judges, and who has acknowledged what.

A line: `{"received": …, "utc": …, "service": …, "digest": …, "token": …, "subject": …, "first": …, "file": …}`.
`received`: nanoseconds of the monotonic clock; `token`: by which the sender knows it; `subject` and `first`: the first
two lines as people see them; `file`: empty where the service said that it took the message, and lost it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harness.stacks.parts.receivers import control
from harness.system import clock

INDEX = "index.jsonl"
RECEIVED = "received"
LONGEST = 200  # letters of a line that is told
TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)
LINK = re.compile(r"/acknowledge/([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True)
class Taken:
    """One message as a service understood it. `files`: what is kept of it, by the ending of each name."""

    service: str
    content: bytes
    subject: str
    first: str
    files: Mapping[str, bytes] = field(repr=False)
    token: str = ""


class Store:
    """Of all services; used from many threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / RECEIVED).mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._number = len(list((folder / RECEIVED).iterdir()))
        self._acknowledged: dict[str, int] = {}  # by token: `mono`, which may not have come yet

    def keep(self, taken: Taken, *, lost: bool = False) -> None:
        """Durable when it returns. What is lost has a line all the same: it shows that it was lost here."""
        text = taken.content.decode(errors="replace")
        found = LINK.search(text)
        token = taken.token or (found[1] if found else "")
        stamp = clock.now()
        with self._lock:
            self._number += 1
            name = "" if lost else f"{RECEIVED}/{self._number:04}-{taken.service}"
            for ending, content in taken.files.items() if name else ():
                (self.folder / f"{name}.{ending}").write_bytes(content)
            line = {
                "received": stamp.mono, "utc": clock.utc_text(stamp.utc), "service": taken.service,
                "digest": hashlib.sha256(taken.content).hexdigest(), "token": token,
                "subject": taken.subject[:LONGEST], "first": taken.first[:LONGEST], "file": name,
            }  # fmt: skip  # a table
            with (self.folder / INDEX).open("a", encoding="utf-8") as index:
                index.write(json.dumps(line, ensure_ascii=False) + "\n")
                index.flush()
                os.fsync(index.fileno())
            after = control.read(self.folder).acknowledges(text)
            if token and not lost and after is not None:
                self._acknowledged.setdefault(token, stamp.mono + int(after / timedelta(microseconds=1)) * 1000)

    def acknowledge(self, token: str) -> None:
        """Somebody pressed the button, now."""
        with self._lock:
            self._acknowledged[token] = min(clock.mono(), self._acknowledged.get(token, clock.mono()))

    def acknowledged(self, token: str) -> int | None:
        """When that was, by `mono`; None where it has not been."""
        with self._lock:
            moment = self._acknowledged.get(token)
        return moment if moment is not None and moment <= clock.mono() else None


def lines(folder: Path) -> list[dict[str, object]]:
    """All that came in, in order; where there is no index yet, nothing has."""
    try:
        written = (folder / INDEX).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in written.splitlines(keepends=True) if line.endswith("\n")]
