"""The keyboard while a drill runs: an attended drill asks here, and the clock goes on while somebody types.

A decision comes before a task: the drill waits for it.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import click

from harness.errors import Refused
from harness.run import decisions, tasks
from harness.system import clock

WORDS = {"yes": decisions.YES, "y": decisions.YES, "no": decisions.NO, "n": decisions.NO}
BACK = ("\x7f", "\b")
LONGEST = 20  # letters of an answer


class Nobody:
    """A run that asks nobody."""

    def wait(self, length: timedelta) -> None:
        clock.sleep(length)

    def prompt(self) -> str:
        return ""


class Person:
    """Somebody at the terminal, who decides under this name."""

    def __init__(self, folder: Path, *, name: str, keyboard: int) -> None:
        self.folder = folder
        self.name = name
        self._keyboard = keyboard
        self._typed = ""
        self._open: decisions.Question | tasks.OpenTask | None = None
        self._wrong = ""

    def wait(self, length: timedelta) -> None:
        """Take what is typed within this time. What is typed while nothing is asked answers nothing: it is lost."""
        asked = decisions.open_question(self.folder) or next(iter(tasks.open_tasks(self.folder)), None)
        if asked != self._open:
            self._open, self._typed, self._wrong = asked, "", ""
            self._throw_away()
        ready, _, _ = select.select([self._keyboard], [], [], length.total_seconds())
        if not ready:
            return
        letters = os.read(self._keyboard, 1024).decode(errors="replace")
        if not letters:  # the terminal is gone, and Ctrl-D gives a letter here
            clock.sleep(length)
        for letter in letters if self._open else "":
            self._take(letter)

    def prompt(self) -> str:
        whose = f"{self._open.role} on the bridge? " if isinstance(self._open, tasks.OpenTask) else ""
        return f" | {self._wrong}{whose}yes or no, as {self.name} > {self._typed}" if self._open else ""

    def _take(self, letter: str) -> None:
        if letter in "\r\n":
            word, self._typed = self._typed.strip().lower(), ""
            if word in WORDS and self._open:
                self._answer(self._open, decisions.Decision(WORDS[word], by=self.name))
                self._open = None
            elif word:
                self._wrong = "not understood: "
        elif letter in BACK:
            self._typed = self._typed[:-1]
        elif letter.isprintable() and len(self._typed) < LONGEST:
            self._typed += letter

    def _answer(self, asked: decisions.Question | tasks.OpenTask, given: decisions.Decision) -> None:
        if isinstance(asked, tasks.OpenTask):
            tasks.answer(self.folder, asked, given)
        else:
            decisions.answer(self.folder, asked, given)

    def _throw_away(self) -> None:
        with suppress(termios.error):
            termios.tcflush(self._keyboard, termios.TCIFLUSH)


@contextmanager
def at_keyboard(folder: Path, name: str) -> Iterator[Person]:
    """The keyboard letter by letter, and as it was before afterwards."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield Person(folder, name=name, keyboard=keyboard)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def must_have_a_terminal() -> None:
    """Errors: `Refused` where nobody could be asked."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(
            "--attended asks people on a terminal, and there is none here",
            hint="run it in a terminal; or leave --attended out, then a stand-in decides at once",
        )


def ask_for_name(default: str) -> str:
    """Once, before anything is hurt: nobody's name costs time while the clock runs."""
    name: str = click.prompt("who decides, when the plan asks a person?", default=default)
    return name.strip()
