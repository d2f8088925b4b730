"""Reading the end of a component's log."""

from __future__ import annotations

from pathlib import Path

LOG_TAIL = 5  # lines


def last_lines(log: Path) -> str:
    """The end of a log, on one line, for an error's message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return " | ".join(text.strip().splitlines()[-LOG_TAIL:]) or "without a word"
