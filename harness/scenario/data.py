"""The data of one scenario: backed up, checked before and after, and read out for the judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.procedures.books import Books, SoundBooks
from harness.run.run import Run
from harness.scenario.customers import ScenarioCustomers
from harness.workload.rows import export_rows

if TYPE_CHECKING:
    import psycopg


class ScenarioData:
    """What the database holds, as its keepers and as its customers see it."""

    def __init__(self, run: Run, folder: Path, customers: ScenarioCustomers) -> None:
        self._run = run
        self._folder = folder
        self._customers = customers
        self._books: Books | None = None
        self._sound: SoundBooks | None = None

    @property
    def sound(self) -> SoundBooks:
        """The last check of the books before the disaster."""
        assert self._sound is not None, "the feature must check the books first"
        return self._sound

    def back_up(self) -> None:
        """A fresh base backup."""
        backup = self._run.stack.backups.take()
        self._run.journal.record("backup", backup=backup.id, bytes=backup.size, begin_lsn=backup.begin_lsn)

    def check(self, books: Books) -> None:
        """The figures that the books are compared with afterwards."""
        with self._run.stack.cluster.connect() as connection:
            self._books, self._sound = books, books.check(connection)
        self._run.journal.record("figures", moment="before", figures=self._sound.figures)

    def check_again(self) -> None:
        """The same figures over the same rows, in the end."""
        assert self._books is not None
        with self._run.stack.cluster.connect() as connection:
            found = self._books.check(connection, last_id=self.sound.last_id)
        self._run.journal.record("figures", moment="after", figures=found.figures)

    def ask(self, question: Callable[[psycopg.Connection[Any]], list[str]]) -> list[str]:
        """Put a question to the leader, as a monitor would."""
        with self._run.stack.cluster.connect() as connection:
            return question(connection)

    def export(self, moment: str, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        """Read the customers' rows of this scenario out of a database, and digest them."""
        assert self._books is not None, "the feature must check the books first"
        with connect() as connection:
            export_rows(
                connection,
                self._books,
                origin=self._customers.origin,
                groups=self._customers.groups,
                folder=self._folder,
                moment=moment,
                recorder=self._run.journal,
            )
