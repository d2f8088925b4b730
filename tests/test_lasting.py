"""A failure that lasts longer than the plan gives it: whoever the plan names is told, and nobody where it does not."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plan import Lasting as Planned
from harness.scenario import lasting
from harness.scenario.lasting import Lasting
from harness.stacks.capabilities.messaging import Messaged
from harness.system import clock, wait
from harness.system.recorder import Memory

CATEGORY, GROUPS = "infrastructure failure", ("stakeholders",)


class FakeTelling:
    """What a scenario tells people by."""

    def __init__(self) -> None:
        self.begun = False
        self.told: list[tuple[str, tuple[str, ...], str]] = []

    def begin(self, *, ratio: float, after: timedelta) -> None:
        assert ratio == 1.0
        self.begun = True

    def tell(self, kind: str, incident: Any, *, groups: tuple[str, ...]) -> None:
        self.told.append((kind, groups, incident.what_happened))


def scenario(limit: timedelta, *, planned: bool = True, verified: bool = False) -> Any:
    """With a fault that was ordered just now."""
    named = {CATEGORY: Planned("confirmation", GROUPS)} if planned else {}
    category = SimpleNamespace(title="Category 1", limits={"confirmation": limit})
    plan = SimpleNamespace(communication=SimpleNamespace(lasting=named), category=lambda name: category)
    faults = SimpleNamespace(any=True, begun=clock.mono(), affected=[{"component": "api-b"}])
    stack = SimpleNamespace(**dict.fromkeys(("own", "status_page", "services", "received", "people_answer"), bool))
    assert isinstance(stack, Messaged)
    return SimpleNamespace(
        plan=plan, stack=stack, faults=faults, verified=verified, communications=FakeTelling(), journal=Memory()
    )


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "LOOKS", timedelta(milliseconds=10))


def test_whoever_the_plan_names_is_told_once_the_time_is_over() -> None:
    """Once, of what was hurt, in real time."""
    made = scenario(timedelta(milliseconds=30))
    watch = Lasting(made)
    watch.begin(CATEGORY)
    wait.poll(lambda: made.communications.told, within=timedelta(seconds=5))
    watch.end()
    assert made.communications.told == [("initial", GROUPS, "api-b does not answer, for longer than 0.03 seconds")]
    assert [kind for kind, _ in made.journal.facts] == ["incident.lasting"]


@pytest.mark.parametrize(
    ("limit", "planned", "verified"),
    [(timedelta(hours=1), True, False), (timedelta(0), False, False), (timedelta(0), True, True)],
)
def test_nobody_else_is_told(limit: timedelta, planned: bool, verified: bool) -> None:
    """Not before, not where the plan names nobody, and not of what is whole again."""
    made = scenario(limit, planned=planned, verified=verified)
    watch = Lasting(made)
    watch.begin(CATEGORY)
    wait.poll(lambda: False, within=timedelta(milliseconds=60))
    watch.end()
    watch.end()
    assert not made.communications.told and not made.journal.facts


def test_what_cannot_be_told_is_recorded_and_no_crash() -> None:
    """The drill goes on."""
    made = scenario(timedelta(0))
    made.communications.tell = None
    watch = Lasting(made)
    watch.begin(CATEGORY)
    wait.poll(lambda: len(made.journal.facts) > 1, within=timedelta(seconds=5))
    watch.end()
    assert [kind for kind, _ in made.journal.facts] == ["incident.lasting", "failed"]
