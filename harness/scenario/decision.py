"""The decisions of one scenario that the plan gives to people: nothing is recovered before somebody says yes."""

from __future__ import annotations

from datetime import timedelta

from harness.errors import Declined
from harness.run import decisions
from harness.run.run import Run
from harness.safety import undo
from harness.scenario.waits import span


class DecisionDesk:
    """Asks people where the run is attended, else a named stand-in, which decides at once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.declined = False  # the recovery: nothing was carried out after it

    @property
    def time(self) -> timedelta:
        """How long people may take now."""
        return decisions.time_for(min((left.expires for left in undo.pending(self._run.folder)), default=None))

    def ask(self, question: str, *, role: str) -> None:
        """Errors: `Declined` when the answer is no, or when there is none in time."""
        self.declined = True  # until somebody says yes
        journal = self._run.journal
        with span(journal, "decide"):
            given = self._run.desk.ask(question, role=role, within=self.time)
            said = {"answer": given.answer} if given.attended else {}
            journal.record("decided", question=question, role=role, by=given.by, attended=given.attended, **said)
        if given.answer != decisions.YES:
            raise Declined(f"the {role} decided against it: {question}", hint="what was not recovered is UNKNOWN")
        self.declined = False
