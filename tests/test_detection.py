"""How a disaster is noticed: by each of several looks, by itself."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.run.run import Run
from harness.scenario.active_faults import ActiveFaults
from harness.scenario.detection import Detection
from harness.system.recorder import Memory


def test_each_look_is_asked_and_recorded_by_itself() -> None:
    """What one has seen does not stand for another, and one that has seen something is not asked again."""
    memory, asked = Memory(), {"books": 0, "log": 0}

    def look(name: str, sees_at: int) -> str:
        asked[name] += 1
        return f"{name} sees it" if asked[name] >= sees_at else ""

    detection = Detection(cast(Run, SimpleNamespace(journal=memory)), cast(ActiveFaults, None))
    detection.await_checks({"books": lambda: look("books", 1), "log": lambda: look("log", 2)})
    told = [(data["by"], data["seen"]) for kind, data in memory.facts if kind == "detected"]
    assert told == [("books", "books sees it"), ("log", "log sees it")]
    assert asked == {"books": 1, "log": 2}
    assert [kind for kind, _ in memory.facts if "span" in kind] == ["span.begin", "span.end"]


def test_the_first_of_several_ends_the_wait_and_who_saw_nothing_is_told() -> None:
    """The others are asked a while longer; nobody having seen anything in time is no error: a finding says it."""
    memory = Memory()
    detection = Detection(cast(Run, SimpleNamespace(journal=memory)), cast(ActiveFaults, None))
    detection.await_any({"books": lambda: "wrong", "log": lambda: ""}, longer=timedelta(0))
    assert [(kind, data["by"]) for kind, data in memory.facts if "detected" in kind] == [
        ("detected", "books"), ("not_detected", "log"),
    ]  # fmt: skip  # a list
    detection.await_any({"log": lambda: ""}, within=timedelta(0))
    assert memory.facts[-1] == ("not_detected", {"by": "log"})


@pytest.mark.parametrize("named", [True, False])
def test_an_alert_is_waited_for_from_the_earliest_effect_of_the_fault(
    monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    """One that came in between the order and the effect tells of something else, and must not end the wait."""
    memory, asked = Memory(), []

    def wait_named(_: object, *, since: int, within: timedelta) -> bool:
        asked.append((since, within))
        return named

    monkeypatch.setattr(Detection, "alerts", SimpleNamespace(wait_named=wait_named))
    faults: Any = SimpleNamespace(affected=[{"component": "api-a"}], begun=10, effective=20)
    Detection(cast(Run, SimpleNamespace(journal=memory)), faults).await_alert(within=timedelta(minutes=1))
    assert asked == [(20, timedelta(minutes=1))]
    assert any(kind == "detected" for kind, _ in memory.facts) is named
