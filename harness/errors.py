"""Every error a user may meet, and the exit codes of `drdrill`.

DrillError                 exit 4   the harness itself failed
├── Refused                exit 3   bad input, wrong usage, or not safe to do
├── NotReady               exit 2   the stack never reached what a drill needs: nothing can be said
├── NotInTime              exit 2   a wait ran out
├── Declined               exit 2   a person decided against the recovery, or nobody decided: nothing can be said
└── Unable                 exit 2   this kind of stack, or what it stands on, has no such power: nothing can be said
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum


class Exit(IntEnum):
    """What `drdrill` returns to the shell."""

    MET = 0
    MISSED = 1
    UNKNOWN = 2
    REFUSED = 3
    FAILED = 4


class DrillError(Exception):
    """What happened, on what; and a hint that says what to do."""

    exit = Exit.FAILED

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHINT: {self.hint}"


class Refused(DrillError):
    """Bad input, wrong usage, or something that is not safe to do. Nothing was changed."""

    exit = Exit.REFUSED


class NotReady(DrillError):
    """The stack did not reach the state that a drill starts from."""

    exit = Exit.UNKNOWN


class NotInTime(DrillError):
    """A wait ran out; the message carries what was seen last."""

    exit = Exit.UNKNOWN


class Unable(DrillError):
    """What is asked for cannot be had of this stack; the hint says what would lift that."""

    exit = Exit.UNKNOWN


class Declined(DrillError):
    """The recovery was not carried out, because a person decided against it or because nobody decided."""

    exit = Exit.UNKNOWN


def quietly(action: Callable[[], object]) -> str:
    """Do it; return what went wrong, in words, instead of raising: a failed clean-up must not erase a measurement."""
    try:
        action()
    except DrillError as error:
        return error.message
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
