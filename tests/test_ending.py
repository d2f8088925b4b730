"""How a scenario ends: the room on the disk is looked at again after all that lasts minutes."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from harness.scenario import ending
from harness.scenario.scenario import ScenarioRun
from harness.system.recorder import Memory


def a_scenario(recorder: Memory) -> Any:
    """One whose sentences were all carried out."""
    scenario: Any = MagicMock(spec=ScenarioRun, run=MagicMock(), journal=recorder, verified=True, _full=False)
    scenario.name, scenario.folder = "one", "."
    for part in (
        "faults",
        "decisions",
        "customers",
        "data",
        "detection",
        "leader",
        "trials",
        "stack",
        "lasting",
        "communications",
        "second_writer",
        "marks",
        "leaders",
    ):
        setattr(scenario, part, MagicMock())
    scenario.decisions.declined, scenario.run.listener.stopping = False, False
    return scenario


def no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is judged."""
    monkeypatch.setattr(
        ending, "evidence", lambda _: [SimpleNamespace(scenario="one", last=lambda _: None, first=lambda _: None)]
    )
    monkeypatch.setattr(ending, "judge", lambda _: [])
    monkeypatch.setattr("harness.scenario.observations.release", lambda *_: None)


@pytest.mark.parametrize("fills", ["settle", "steady", "end", "never"])
def test_a_disk_that_fills_while_it_ends_is_seen(monkeypatch: pytest.MonkeyPatch, fills: str) -> None:
    """Whichever wait it fills in: what fails for want of room says nothing. It is recorded once, before the end."""
    disk, recorder = {"free": 10**12}, Memory()

    def fill(when: str) -> None:
        disk["free"] = 0 if when == fills else disk["free"]

    scenario = a_scenario(recorder)
    scenario.customers.settle.side_effect = lambda ended=None: fill("settle")
    scenario.customers.end.side_effect = lambda: fill("end")
    scenario.look_at_room = lambda: ScenarioRun.look_at_room(scenario)
    monkeypatch.setattr("harness.scenario.scenario.shutil.disk_usage", lambda _: SimpleNamespace(**disk))
    monkeypatch.setattr(ending, "steady", lambda *_, **__: fill("steady"))
    no_verdict(monkeypatch)
    ending.finish(scenario, outcome="completed", error="")
    kinds = [kind for kind, _ in recorder.facts]
    assert kinds == ([] if fills == "never" else ["disk.full"]) + ["scenario.end"]


@pytest.mark.parametrize(
    ("unhealed", "verified", "outcome", "waits"),
    [
        (False, True, "completed", True),
        (True, True, "completed", False),
        (False, False, "completed", True),
        (False, False, "failed", False),
    ],
)
def test_what_nobody_lets_back_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, *, unhealed: bool, verified: bool, outcome: str, waits: bool
) -> None:
    """What is left hurt waits for a person, and what broke off was not mended: the stack is looked at once. Else until
    it is steady, whether or not the scenario verifies anything."""
    scenario, given = a_scenario(Memory()), []
    scenario.faults.unhealed, scenario.verified = unhealed, verified
    monkeypatch.setattr(ending, "steady", lambda *_, within, **__: given.append(within))
    no_verdict(monkeypatch)
    ending.finish(scenario, outcome=outcome, error="")
    assert given == [ending.STEADY_LIMIT if waits else timedelta(0)]


@pytest.mark.parametrize(
    ("hurt", "verified", "outcome", "waits"),
    [
        (True, False, "completed", [7]),
        (True, True, "completed", [5]),
        (False, False, "completed", []),
        (True, False, "failed", []),
    ],
)
def test_customers_write_on_after_the_last_fault_has_ended(
    monkeypatch: pytest.MonkeyPatch, *, hurt: bool, verified: bool, outcome: str, waits: list[int]
) -> None:
    """Nothing can be said of service that was not looked at for long enough; a scenario has no sentence for that. After
    a verification has settled only what a sentence has ended since is waited for."""
    scenario, order = a_scenario(Memory()), []
    scenario.verified, scenario.faults.any, scenario.faults.ended = verified, hurt, 7
    scenario.faults.ended_by_sentence = 5
    monkeypatch.setattr(ending, "steady", lambda *_, **__: order.append("steady"))
    scenario.customers.settle.side_effect = lambda ended=None: order.append(ended)
    scenario.customers.end.side_effect = lambda: order.append("end")
    no_verdict(monkeypatch)
    ending.finish(scenario, outcome=outcome, error="")
    assert [each for each in order if each not in ("steady", None)] == [*waits, "end"]
