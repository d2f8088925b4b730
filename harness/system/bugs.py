"""Tells a bug of the harness from what a drill meets. Must never take a drill's bad news for a bug, or hide a bug."""

from __future__ import annotations

import sys

from harness.errors import DrillError


def is_bug(error: BaseException | None) -> bool:
    """Whether the harness itself failed: not in words of its own, and not for a server that does not answer."""
    return isinstance(error, Exception) and not isinstance(error, (DrillError, OSError, *database_errors()))


def database_errors() -> tuple[type[Exception], ...]:
    """What the drivers of databases raise; none where no driver was imported, so that no database was asked.

    A driver is told by what Python's standard for drivers asks of its module: `apilevel`, and one `Error` above all of
    its errors. Source: PEP 249.
    """
    loaded = [vars(module) for module in list(sys.modules.values()) if hasattr(module, "__dict__")]
    errors = [names["Error"] for names in loaded if isinstance(names.get("apilevel"), str) and "Error" in names]
    return tuple(each for each in errors if isinstance(each, type) and issubclass(each, Exception))
