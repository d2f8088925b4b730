"""Procedures that bring back what failed: they know what a real team knows, and say what does not come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

import harness.procedures.restart as restarting
from drills import FEATURES
from harness.errors import NotReady
from harness.features import catalog
from harness.procedures.restart import Restart
from harness.procedures.roll_back import RollBack
from harness.stacks import PlainRegion, Stack
from harness.system.recorder import Memory
from tests.this_project import PROJECT


class Part:
    """A component that does its work once it was started, unless it is beyond repair."""

    def __init__(self, name: str, *, runs: bool, works: bool, repairable: bool = True) -> None:
        self.name, self.runs, self.works, self.repairable = name, runs, works, repairable
        self.deeds: list[str] = []

    def running(self) -> bool:
        return self.runs

    def kill(self) -> None:
        self.deeds.append("kill")
        self.runs = False

    def stop(self) -> None:
        raise AssertionError("what hangs would not hear it")

    def start(self) -> None:
        self.deeds.append("start")
        self.runs, self.works = True, self.repairable


class Parts:
    """As much of a stack as a restart needs."""

    def __init__(self, *parts: Part) -> None:
        self.parts = {part.name: part for part in parts}

    def components(self) -> Mapping[str, Part]:
        return self.parts

    def works(self, name: str) -> str:
        return "works" if self.parts[name].works else ""


def restart(stack: Parts, named: Sequence[str], *, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What a restart records of what takes part again."""
    memory = Memory()
    one = Restart(cast(Stack, stack), memory, named=lambda: named, works=stack.works, skip=frozenset(without))
    one.procedure().run("repair")
    return [data for kind, data in memory.facts if kind == "rotation"]


def test_what_does_not_run_and_what_an_alert_names_is_started_again() -> None:
    """A part that hangs runs; only the alert gives it away. One that an alert names and that works is left alone."""
    dead, hangs, well = (
        Part("api-a", runs=False, works=False),
        Part("api-b", runs=True, works=False),
        Part("api-c", runs=True, works=True),
    )
    found = restart(Parts(dead, hangs, well), ["api-b", "api-c", "not-there"])
    assert {one["component"]: one["ok"] for one in found} == {"api-a": True, "api-b": True}
    assert dead.deeds == hangs.deeds == ["kill", "start"] and well.deeds == []


def test_what_does_not_come_back_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a finding, and no error: the others are still looked at."""
    monkeypatch.setattr(restarting, "BACK_WITHIN", restarting.BACK_WITHIN / 600)
    beyond = Part("api-a", runs=False, works=False, repairable=False)
    assert [one["ok"] for one in restart(Parts(beyond), [])] == [False]


def test_why_it_is_not_back_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As whoever was asked says it last."""
    monkeypatch.setattr(restarting, "BACK_WITHIN", restarting.BACK_WITHIN / 600)

    class Slow(Parts):
        def works(self, name: str) -> str:
            raise NotReady("runs, and does not answer: HTTP 503", hint="")

    found = restart(Slow(Part("api-a", runs=False, works=False)), [])
    assert found == [{"component": "api-a", "ok": False, "seen": "runs, and does not answer: HTTP 503"}]


def test_a_step_that_is_left_out_leaves_it_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a twin that starts nothing again comes out red."""
    monkeypatch.setattr(restarting, "BACK_WITHIN", restarting.BACK_WITHIN / 600)
    dead = Part("api-a", runs=False, works=False)
    assert [one["ok"] for one in restart(Parts(dead), [], without=["start it again"])] == [False]


class Released:
    """As much of a stack as a roll-back needs."""

    regions = (PlainRegion("r", ("a", "b")),)

    def __init__(self, *history: str) -> None:
        self.deployed = list(history)

    def history(self) -> list[str]:
        return list(self.deployed)

    def current(self) -> str:
        return self.deployed[-1]

    def deploy(self, name: str) -> None:
        self.deployed.append(name)


def roll_back(stack: Released) -> None:
    RollBack(cast(Stack, stack), Memory(), serves=lambda zone: True).procedure().run("repair")


def test_a_roll_back_deploys_what_was_deployed_before() -> None:
    """By the history of what was deployed, also where a release was tried twice."""
    for history in (["1.0", "2.0"], ["1.0", "2.0", "2.0"]):
        stack = Released(*history)
        roll_back(stack)
        assert stack.current() == "1.0"


def test_where_nothing_was_deployed_before_nothing_is_rolled_back() -> None:
    """It ends with an error that says so."""
    with pytest.raises(NotReady, match="no release was deployed before"):
        roll_back(Released("1.0"))


def test_a_dry_run_knows_every_procedure_that_a_sentence_carries_out() -> None:
    """Each scenario that says that something is restored, started or deployed again has its steps listed."""
    for drill in catalog.drills(FEATURES):
        for scenario in drill.scenarios:
            carried_out = any(
                word in sentence
                for sentence in scenario.texts
                for word in (
                    "database is restored to",
                    "database is restored from",
                    "started again",
                    "deployed again",
                    "index is rebuilt",
                    "handed the lead",
                    "one of these leads",
                    "second region leads",
                    "lost region returns",
                )
            )
            assert bool(PROJECT.sentences.procedures(scenario.sentences)) is carried_out, scenario.title


class Servers:
    """Two database servers, the second of which leads."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.members = (SimpleNamespace(name="db-1"), SimpleNamespace(name="db-2"))

    def leader(self) -> SimpleNamespace:
        return self.members[1]

    def comes_back_as_copy(self, name: str) -> str:
        assert name == "db-1"
        return self.why


@pytest.mark.parametrize("why", ["", "nothing says that it obeys"])
def test_who_may_come_back_as_a_second_leader_is_not_started(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """While another leads: the drill says so, and makes no second one."""
    monkeypatch.setattr(restarting, "find", lambda stack, protocol: Servers(why))
    died = Part("db-1", runs=False, works=False)
    if not why:
        assert restart(Parts(died), []) == [{"component": "db-1", "ok": True, "seen": "works"}]
        return
    with pytest.raises(NotReady, match="db-2 leads, and it may come back as more than a copy: nothing says"):
        restart(Parts(died), [])
    assert died.deeds == []
