"""Writes the file of an alert receiver. It imports nothing of the stacks: the receiver runs anywhere."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.system import clock


class Writer:
    """Appends, from any thread. What `write` returns from is durable. A torn last line is left where it is."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._one_at_a_time = threading.Lock()
        size = os.fstat(self._file).st_size
        self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def write(self, lines: Sequence[Mapping[str, str | int]]) -> None:
        """Errors: `OSError`, as when the disk is full."""
        with self._one_at_a_time:
            stamp = clock.now()
            stamped = [{"received": stamp.mono, "utc": clock.utc_text(stamp.utc), **line} for line in lines]
            content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in stamped).encode()
            left = b"\n" + content if self._torn else content
            self._torn = True
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
            self._torn = False
