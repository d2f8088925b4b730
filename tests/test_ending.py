"""How a scenario ends: the room on the disk is looked at again after all that lasts minutes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from harness.scenario import ending
from harness.scenario.scenario import ScenarioRun
from harness.system.recorder import Memory


@pytest.mark.parametrize("fills", ["settle", "steady", "end", "never"])
def test_a_disk_that_fills_while_it_ends_is_seen(monkeypatch: pytest.MonkeyPatch, fills: str) -> None:
    """Whichever wait it fills in: what fails for want of room says nothing. It is recorded once, before the end."""
    disk, recorder = {"free": 10**12}, Memory()

    def fill(when: str) -> None:
        disk["free"] = 0 if when == fills else disk["free"]

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
    scenario.customers.settle.side_effect = lambda: fill("settle")
    scenario.customers.end.side_effect = lambda: fill("end")
    scenario.look_at_room = lambda: ScenarioRun.look_at_room(scenario)
    monkeypatch.setattr("harness.scenario.scenario.shutil.disk_usage", lambda _: SimpleNamespace(**disk))
    monkeypatch.setattr(ending, "steady", lambda *_, **__: fill("steady"))
    monkeypatch.setattr(
        ending, "evidence", lambda _: [SimpleNamespace(scenario="one", last=lambda _: None, first=lambda _: None)]
    )
    monkeypatch.setattr(ending, "judge", lambda _: [])
    monkeypatch.setattr("harness.scenario.observations.release", lambda *_: None)
    ending.finish(scenario, outcome="completed", error="")
    kinds = [kind for kind, _ in recorder.facts]
    assert kinds == ([] if fills == "never" else ["disk.full"]) + ["scenario.end"]
