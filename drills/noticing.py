"""What those who look after QuantumNest's database notice damage by, each by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drills.reconciliation import RECONCILIATION
from harness.stacks.stand_in import ROLE
from harness.system.growing import Growing

if TYPE_CHECKING:
    from harness.scenario.scenario import ScenarioRun

BOOKS = "consistency checks of the books"
COMPARISON = "comparison of the books with the last check"
LOG = "database's own log"
FAILURES = "count of failed checksums"
STRUCTURE = "tables and indexes (amcheck)"

# What the log has where a page cannot be read, whoever wanted to read it.
UNREADABLE = re.compile(r"page verification failed|invalid page in block|could not read block")
# And where the application does not find rows that are known to be there.
TROUBLE = re.compile(f"{UNREADABLE.pattern}|violates foreign key")


@dataclass
class DatabaseLog:
    """What a server writes of trouble, from now on: of the application's alone, what other looks bring about is left
    out; with `of` empty also of theirs."""

    path: Path
    trouble: re.Pattern[str] = TROUBLE
    of: str = f" user={ROLE} "
    _growing: Growing = field(default_factory=Growing)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> str:
        """The first line of trouble since the last look; empty where there is none."""
        lines = (line.decode(errors="replace") for line in self._growing.lines(self.path))
        return next((line for line in lines if self.trouble.search(line) and self.of in line), "")


def adds_up(scenario: ScenarioRun) -> Callable[[], str]:
    """Whether the books add up by themselves."""
    return lambda: "; ".join(scenario.data.ask(RECONCILIATION.discrepancies))


def as_at_the_last_check(scenario: ScenarioRun) -> Callable[[], str]:
    """Whether the books say the same as at the last check."""
    return lambda: "; ".join(scenario.data.ask(scenario.data.unlike_before))
