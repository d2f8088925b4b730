"""What a name server did, a JSON object a line, so that a report can show what those who asked were told.

Each has `t` (nanoseconds of the monotonic clock), `utc`, and `e`:

    begin    it listens
    api      the zone can be read, or can not (`up`, `why`), where that is news
    record   a name has other records (`name`, `type`, `is`; none where it is gone)
    health   a health check has turned (`check`, `address`, `host`, `healthy`, `why`)
    answer   somebody was told something else than before (`by`: the address that asked; `name`, `type`, `addresses`,
             `ttl` in seconds, `set`: which record)
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.system import clock
from harness.system.growing import Growing

FILE = "answers.jsonl"


class Log:
    """Appends, from any thread. A full disk keeps nobody from being answered."""

    def __init__(self, path: Path) -> None:
        """Errors: `OSError`."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._one_at_a_time = threading.Lock()

    def write(self, event: str, **facts: Any) -> None:
        with self._one_at_a_time:
            stamp = clock.now()
            line = json.dumps({"t": stamp.mono, "utc": clock.utc_text(stamp.utc), "e": event, **facts})
            try:
                os.write(self._file, f"{line}\n".encode())
            except OSError as error:
                print(f"not logged: {error.strerror}: {line}", file=sys.stderr, flush=True)


class Lines:
    """Reads them: each look has what was added since the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._growing = Growing()

    def new(self) -> list[dict[str, Any]]:
        """Whole lines only; what a full disk has torn is left out."""
        found = []
        for line in self._growing.lines(self._path):
            with suppress(ValueError):
                found.append(json.loads(line))
        return found
