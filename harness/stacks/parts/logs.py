"""The logs of components: when their lines were written, and reading their end."""

from __future__ import annotations

from pathlib import Path

LOG_TAIL = 5  # lines
IN_UTC = {"TZ": "UTC"}  # a component's environment: a time without an offset in its log is in UTC on every machine


def last_lines(log: Path) -> str:
    """The end of a log, on one line, for an error's message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return " | ".join(text.strip().splitlines()[-LOG_TAIL:]) or "without a word"
