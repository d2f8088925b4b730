"""All that the owner of a platform wants of one run, from its first line to its last. Of other stacks it is nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import Refused
from harness.evidence.journal import Journal
from harness.safety import stopping
from harness.safety.owner import consent, standpoint, writes
from harness.safety.owner.file import said_of
from harness.safety.owner.told import Told
from harness.stacks import Stack
from harness.stacks.kinds import Kind
from harness.system.later import fetch


class Owner:
    """Of one run."""

    def __init__(self, folder: Path, kind: Kind, journal: Journal) -> None:
        self._folder = folder
        self._said = said_of(kind)
        self._journal = journal
        self._told: Told | None = None
        self._bound: writes.Bound | None = None

    def must_be_slow_enough(self, rate: float) -> None:
        """Before the first line: how fast it writes. Errors: `Refused`."""
        if self._said is not None:
            writes.must_be_slow_enough(self._said, rate)

    def announce(self) -> None:
        """After the first line: who let it."""
        if self._said is not None:
            consent.record(self._folder, self._journal)

    def begin(self, stack: Stack) -> None:
        """Once it can be asked. Errors: `Refused`, where a condition cannot be asked from outside, or is true."""
        if self._said is None:
            return
        try:
            doors = fetch("harness.stacks.attached.doors:doors")(stack)
            standpoint.must_stand_outside(self._said, doors=doors)
            self._told = Told(self._folder, self._said, self._journal)
            self._told.begin()
        except Refused as error:
            self._journal.record("refused", fault="", settings={}, why=error.message, hint=error.hint)
            raise

    def pause(self) -> None:
        """The stack is ended, and another one comes."""
        if self._told is not None:
            self._told.end()

    def writes_left(self) -> int | None:
        """How many may be sent still; None where nobody says. Errors: `Refused` where none is left."""
        return None if self._said is None else writes.left(self._said, self._journal.lines())

    def watch_writes(self, ledgers: Iterable[Path], most: int | None) -> None:
        """Of the customers of one scenario: once as many are sent, the run is asked to stop."""
        if self._bound is not None:
            self._bound.end()
        if most is not None:
            self._bound = writes.Bound(list(ledgers), most, self._spent)
            self._bound.begin()

    def end(self, *, run: str) -> None:
        """The conditions are asked no more; what was sent is recorded."""
        self.pause()
        if self._bound is not None:
            self._bound.end()
        if self._said is not None:
            writes.record(self._said, self._journal.lines(), self._journal, run=run)

    def _spent(self, why: str) -> None:
        where = self._said.where("safety", "writes", "number") if self._said else ""
        stopping.ask(self._folder, who="harness", why=f"{why} ({where})")
