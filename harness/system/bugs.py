"""Tells a bug of the harness from what a drill meets. Must never take a drill's bad news for a bug, or hide a bug."""

from __future__ import annotations

from harness.errors import DrillError


def is_bug(error: BaseException | None) -> bool:
    """Whether the harness itself failed: not in words of its own, and not for a server that does not answer."""
    return isinstance(error, Exception) and not isinstance(error, (DrillError, OSError, *database_errors()))


def database_errors() -> tuple[type[Exception], ...]:
    """What a database's driver raises; none where no driver is installed, so that no database was asked."""
    try:
        import psycopg  # noqa: PLC0415  (procedures ask, and a list of drills, which asks nobody, has them all)
    except ImportError:
        return ()
    return (psycopg.Error,)
