"""What the first line of a run says that must stand with each of its verdicts. Pure, and forgiving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def marks(begin: Mapping[str, Any]) -> tuple[str, ...]:
    """`rehearsal`, `clock compressed 1:60`: why the run does no duty, whatever its verdict is. Mostly none."""
    clock = begin.get("clock")
    compression = clock.get("compression", 1) if isinstance(clock, Mapping) else 1
    found = ["rehearsal"] if begin.get("rehearsal") else []
    if compression != 1:
        found.append(f"clock compressed 1:{str(compression)[:20]}")
    return tuple(found)
