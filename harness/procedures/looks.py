"""Looks at a database that has to be proved sound: each by itself, so that it is seen which of them tells of damage.

A look that cannot be taken has not found it sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.errors import DrillError
from harness.system.bugs import is_bug

PAGES, STRUCTURE, BOOKS = "pages", "tables and indexes", "books"
AS_BEFORE = "as at the last check"


class NotSound(DrillError):
    """Something is damaged that must not be gone on from, or is still damaged in the end."""


@dataclass(frozen=True)
class Look:
    """What one look found, by its name: whether that is sound, and what it saw, in words. It is recorded as it is."""

    name: str
    ok: bool
    seen: str


def taken(name: str, look: Callable[[], str]) -> Look:
    """What `look` returns is what it saw of a sound database; what it raises, of one that is not."""
    try:
        return Look(name, True, look())
    except DrillError as error:
        return Look(name, False, error.message)
    except Exception as error:
        if is_bug(error):
            raise
        return Look(name, False, (str(error).strip().splitlines() or [type(error).__name__])[0])


def sound(wrong: Sequence[str], otherwise: str = AS_BEFORE) -> str:
    """Errors: `NotSound` where something is wrong."""
    if wrong:
        raise NotSound("; ".join(wrong), hint="compare it with what is sound")
    return otherwise


def not_sound(looks: Iterable[Look]) -> list[str]:
    """What those that are not good saw."""
    return [f"{each.name}: {each.seen}" for each in looks if not each.ok]
