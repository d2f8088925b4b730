"""Questions that are independent of each other: all at once, each with a limit after which nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from harness.errors import DrillError, Exit
from harness.stacks.attached.checking.line import Line
from harness.system import clock

LIMIT = timedelta(seconds=10)  # of a question that says no other


@dataclass
class Question:
    """`ask` says what it has found, in one line or several. A `DrillError` of it is what it has found, too: one after
    which nothing can be said leaves it open."""

    part: str
    what: str
    ask: Callable[[], Sequence[Line]]
    within: timedelta = LIMIT
    found: list[Line] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)

    def carry_out(self) -> None:
        """In its thread."""
        try:
            self.found += self.ask()
        except DrillError as error:
            ok = None if error.exit is Exit.UNKNOWN else False
            self.found.append(Line(self.part, self.what, ok, error.message, error.hint))
        except Exception as error:
            self.broken.append(error)


def all_at_once(questions: Iterable[Question]) -> list[Line]:
    """What all have found, in their order. One that hangs is left alone: it is a daemon, and asks only.

    Errors: that of the first that broke.
    """
    begin = clock.mono()
    asked = [(one, threading.Thread(target=one.carry_out, daemon=True)) for one in questions]
    for _, thread in asked:
        thread.start()
    lines: list[Line] = []
    for question, thread in asked:
        thread.join(max(0.0, (question.within - clock.since(begin)).total_seconds()))
        if question.broken:
            raise question.broken[0]
        if thread.is_alive():
            seen = f"no answer within {question.within.total_seconds():g} s"
            lines.append(Line(question.part, question.what, None, seen, "ask it by hand"))
        else:
            lines += question.found
    return lines
