"""The data of one scenario: backed up, checked before and after, and read out for the judge."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.procedures.reconciliation import ReconciledState, Reconciliation, unlike
from harness.run.run import Run
from harness.scenario.customers import ScenarioCustomers
from harness.stacks.capabilities import lacking, need
from harness.stacks.capabilities.backups import BaseBackups
from harness.stacks.capabilities.database import Connected
from harness.stacks.capabilities.entrance import Readable
from harness.workload.client import asks_back
from harness.workload.handed import secrets_of
from harness.workload.rows import export_rows, sent_in, stored


class ScenarioData:
    """What the database holds, as its keepers and as its customers see it."""

    def __init__(self, run: Run, folder: Path, customers: ScenarioCustomers) -> None:
        self._run = run
        self._folder = folder
        self._customers = customers
        self._reconciliation: Reconciliation | None = None
        self._before: ReconciledState | None = None

    @property
    def before(self) -> ReconciledState:
        """The last check before the disaster."""
        assert self._before is not None, "the feature must check the data first"
        return self._before

    @property
    def checked(self) -> bool:
        """Whether it was checked before the disaster, so that it can be compared."""
        return self._before is not None

    def back_up(self) -> None:
        """A fresh base backup."""
        backup = need(self._run.stack, BaseBackups).take()
        self._run.journal.record("backup", backup=backup.id, bytes=backup.size, begin=backup.begin)

    def check(self, reconciliation: Reconciliation) -> None:
        """What must agree, and the values that are compared with those afterwards."""
        self._run.journal.record("reconciliation.rules", rules=list(reconciliation.rules))
        with need(self._run.stack, Connected).connect() as connection:
            self._reconciliation, self._before = reconciliation, reconciliation.check(connection)
        self._run.journal.record(
            "reconciliation", moment="before", values=self._before.values, size=dict(self._before.size)
        )

    def check_again(self) -> None:
        """The same values over the same transactions, in the end."""
        assert self._reconciliation is not None
        with need(self._run.stack, Connected).connect() as connection:
            found = self._reconciliation.check(connection, last=self.before.last)
        self._run.journal.record("reconciliation", moment="after", values=found.values, size=dict(found.size))

    def ask(self, question: Callable[[Any], list[str]]) -> list[str]:
        """Put a question to the leader, as a monitor would."""
        with need(self._run.stack, Connected).connect() as connection:
            return question(connection)

    def unlike_before(self, source: Any) -> list[str]:
        """What of the books, as `source` has them, is not as at the last check, in words."""
        assert self._reconciliation is not None
        return unlike(self._reconciliation, source, self.before)

    def export(self, moment: str, source: Callable[[], AbstractContextManager[Any]] | None = None) -> None:
        """Read the customers' rows of this scenario out of what the client reads from, and digest them: out of
        `source`, else what the stack says, else the leader of its cluster. Errors: `Unable` where it has neither."""
        client = self._run.client.load(secrets_of(self._run.stack))
        opens = stored(self._run.stack, client, sent=sent_in(self._folder))
        if source is not None and not asks_back(client):  # whoever asks the platform asks no copy of its database
            opens = source
        if opens is None:
            raise lacking(self._run.stack, Readable)
        with opens() as opened:
            export_rows(
                opened,
                client,
                origin=self._customers.origin,
                groups=self._customers.groups,
                folder=self._folder,
                moment=moment,
                recorder=self._run.journal,
            )
