"""What a drill has written into the platform's own data, by the mark that its client gives it: counted, and removed
where the client's file says how. What stays is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.errors import quietly
from harness.run.run import Run
from harness.run.trial import Trials
from harness.scenario.customers import ScenarioCustomers
from harness.stacks.capabilities import lacking
from harness.stacks.capabilities.entrance import Readable
from harness.workload.client import Own, RemovingClient
from harness.workload.handed import secrets_of
from harness.workload.ledger import stored_origin
from harness.workload.rows import asked, database, sent_in, stored
from harness.workload.workload import HARNESS

Opens = Callable[[], AbstractContextManager[Any]]


class Marks:
    """Of one scenario: its customers' transactions, and the harness's own."""

    def __init__(self, run: Run, folder: Path, customers: ScenarioCustomers, trials: Trials) -> None:
        self._run = run
        self._sent = sent_in(folder)
        self._customers = customers
        self._trials = trials

    def end(self) -> None:
        """Count what is there, remove it where the client says how, and count again; recorded as `marks`, also where
        something of that failed. Nothing, where the client says nothing of it, or nothing was sent.

        Errors: what counting it meets; nobody knows then how much stays.
        """
        if not (self._customers.any or self._trials.sent):
            return
        stack = self._run.stack
        client = self._run.client.load(secrets_of(stack))
        if not isinstance(client, RemovingClient):
            return
        how, origin, groups = client.removes(), self._customers.origin, [*self._customers.groups, HARNESS]
        reads = self._opens(stored(stack, client, sent=self._of))

        def count() -> int:
            with reads() as source:
                return sum(1 for group in groups for _ in client.rows(source, origin=stored_origin(origin, group)))

        def remove() -> None:
            with self._opens(database(stack) if how == "SQL" else asked(stack, sent=self._of))() as source:
                client.remove(source, origin=origin, groups=groups)

        there: list[int] = []
        why = quietly(lambda: there.append(count()))
        if how:
            why = quietly(remove) or why
            why = quietly(lambda: there.append(count())) or why
            why = why or ("they are there still" if there[-1] else "")
        self._run.journal.record(
            "marks", origin=origin, how=how or "left", found=there[0] if there else None,
            left=there[-1] if there and (len(there) > 1 or not how) else None, why=why,
        )  # fmt: skip  # arguments in groups

    def _of(self, origin: str) -> list[Own]:
        own = [each for each in self._trials.sent if each.key.origin == origin]
        return own or list(self._sent(origin))

    def _opens(self, found: Opens | None) -> Opens:
        """Errors: `Unable` where the stack has neither a database nor an entrance for it."""
        if found is None:
            raise lacking(self._run.stack, Readable)
        return found
