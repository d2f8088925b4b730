"""The backups of a scenario: restored beside, each into an empty place, with nothing of the platform hurt."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import Refused
from harness.evidence.run_folder import KEPT_PLACES, STACK_FOLDER
from harness.restores.choice import Asked
from harness.run.run import Run
from harness.stacks.capabilities import need
from harness.stacks.capabilities.backups import Kept
from harness.system.later import fetch


class ScenarioRestores:
    """Which databases the scenario is about, and what is asked of their backups."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._scenario = name
        self._names: Sequence[str] = ()

    def of_all(self) -> None:
        """Every database of the stack file."""
        self._names = list(need(self._run.stack, Kept).described.databases)

    def of(self, database: str) -> None:
        """One of them. Errors: `Refused` where the stack file has none of that name."""
        there = need(self._run.stack, Kept).described.databases
        if database not in there:
            hint = f"the stack file has: {', '.join(there)}"
            raise Refused(f"there are no backups of a database named {database}", hint=hint)
        self._names = [database]

    def carry_out(self, asked: Asked) -> None:
        """Errors: none of what is restored: that is in the journal, and judged at the end."""
        run, kept = self._run, need(self._run.stack, Kept)
        made = fetch("harness.restores.many:Restores")(
            kept.described, names=self._names, values=kept.values, label=run.id, folder=run.folder / STACK_FOLDER,
            kept=run.folder.parent / KEPT_PLACES / run.id, recorder=run.journal,
            books=run.books, broken=run.options.sabotage.restore,
        )  # fmt: skip  # arguments in groups
        made.carry_out(asked, seed=f"{run.nonce} {self._scenario}")
