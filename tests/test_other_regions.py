"""The regions that follow: a replicator each at their edge, and whether the backups are in both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from harness.stacks import Condition
from harness.stacks.parts import others
from harness.system.recorder import Memory


@dataclass
class Copier:
    """A replicator that has copied all at its third look."""

    asked: list[timedelta] = field(default_factory=list)

    def condition(self, *, behind: timedelta) -> Condition:
        self.asked.append(behind)
        return Condition("the second store has the backups", ok=len(self.asked) > 2, seen="")


def regions(*copiers: Copier | None) -> list[Any]:
    return [SimpleNamespace(replicator=each) for each in copiers]


def test_a_stack_waits_until_what_there_is_was_copied() -> None:
    """What comes in while it waits does not matter: the age that is allowed grows with the wait."""
    copier = Copier()
    others.wait_copied(regions(None, copier), Memory())
    assert len(copier.asked) == 3 and copier.asked == sorted(copier.asked)
    assert len(others.simulated(regions(None, copier))) == 1


def test_a_stack_of_one_region_copies_nothing_and_waits_for_nothing() -> None:
    """Nor does it say that it would."""
    memory = Memory()
    others.wait_copied(regions(None), memory)
    assert not memory.facts and not others.simulated(regions(None)) and not others.replicators(regions(None))


def test_a_stack_says_which_region_is_in_service() -> None:
    """Where the second one was promoted and nobody has handed the lead back, it is not steady, and says what to do."""
    east, west = SimpleNamespace(name="east"), SimpleNamespace(name="west")
    both: list[Any] = [east, west]
    (home,) = others.is_home(both, "east")
    assert home.ok and home.name == "east is in service"
    (away,) = others.is_home(both[::-1], "east")
    assert not away.ok and "west is, since it was promoted" in away.seen and "runbook" in away.seen
    assert others.is_home(both[:1], "east") == []
