"""The healing of one fault: asked, healed, looked at; and of several, the last one first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import NotReady
from harness.faults import Fault
from harness.faults.kill_component import KillComponent
from harness.run.sabotage import Sabotage
from harness.safety import fencing, healing, undo
from harness.safety.healing import Healing
from harness.scenario.active_faults import ActiveFaults
from harness.stacks import Stack
from harness.system import clock
from harness.system.clock import Moment
from harness.system.recorder import Memory
from tests.fake_stack import FakeStack

SHORT = timedelta(milliseconds=600)


@dataclass(frozen=True)
class Told(KillComponent):
    """A fault that is told what its healing comes to."""

    names: tuple[str, ...] = ("api-b",)
    looks: list[str | Exception] = field(default_factory=list)  # one after the other, the last one again and again
    breaks: Exception | None = None
    moment: Moment | None = None
    heals: list[str] = field(default_factory=list)

    def heal(self, stack: Stack, undo: Any) -> Any:
        self.heals.append("healed")
        if self.breaks:
            raise self.breaks
        return self.moment

    def still_hurt(self, stack: Stack, undo: Any) -> str:
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(now, Exception):
            raise now
        return now


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FENCED_LIMIT", "LOOK_LIMIT", "DATA_LIMIT"):
        monkeypatch.setattr(healing, name, SHORT)


def healed(fault: Fault, **options: Any) -> Healing:
    return healing.heal(FakeStack(), fault, {"names": ["api-b"]}, **options)


def test_it_is_healed_when_nothing_is_seen_of_it_any_more() -> None:
    """What is waited for is told once each, with its limit; when it was healed is what the fault knows of it."""
    said: list[str] = []
    moment = Moment(5, 6, "the kernel")
    fault = Told(looks=["it starts", "it starts", NotReady("nobody leads", hint=""), ""], moment=moment)
    assert healed(fault, say=said.append) == Healing(True, "healed", "nothing of it is left", 5, 6)
    assert [one.partition("; waited ")[0] for one in said] == ["it starts", "nobody can look: nobody leads"]
    assert said[0].endswith("; waited 0 s of at most 0.6 s") and len(fault.heals) == 1


def test_what_is_still_seen_is_not_healed() -> None:
    """The last look is what is recorded."""
    found = healed(Told(looks=["api-b does not run"]))
    assert (found.ok, found.how, found.seen) == (False, "not healed", "api-b does not run")


def test_where_nobody_can_look_nothing_is_healed() -> None:
    """Whatever the healing itself said."""
    found = healed(Told(looks=[OSError("gone")]))
    assert (found.ok, found.how, found.seen) == (False, "not healed", "nobody can look: OSError: gone")


def test_what_breaks_is_said_and_raises_nothing() -> None:
    """Others must still be healed."""
    found = healed(Told(looks=[""], breaks=NotReady("the engine is away", hint="")))
    assert (found.ok, found.how, found.seen) == (False, "not healed", "the engine is away")


def test_who_must_stay_fenced_is_not_let_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is not touched; what a person has to do is said."""
    monkeypatch.setattr(fencing, "must_stay", lambda *_: "patroni-b leads, and patroni-a takes writes")
    monkeypatch.setattr(fencing, "what_to_do", lambda *_: "stop patroni-a")
    fault = Told(looks=[""])
    found = healed(fault)
    assert (found.ok, found.how, fault.heals) == (False, "left fenced", [])
    assert found.seen == "left fenced: patroni-b leads, and patroni-a takes writes; stop patroni-a"


def test_a_database_server_that_a_person_has_stopped_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is safe to let it back, and only then: nobody else starts it. Other components are the fault's own."""
    stack, kept = FakeStack(), {"names": ["api-a", "patroni-a"]}
    for name in kept["names"]:
        stack.by_name[name].up = False
    safe: list[str] = []
    monkeypatch.setattr(fencing, "must_stay", lambda *_: "" if safe else "patroni-b leads")
    assert healing.heal(stack, Told(looks=[""]), kept).how == "left fenced"
    assert not stack.by_name["patroni-a"].up
    safe.append("yes")
    assert healing.heal(stack, Told(looks=[""]), kept).ok
    assert (stack.by_name["api-a"].up, stack.by_name["patroni-a"].up) == (False, True)


def test_an_old_leader_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives up by itself, as soon as its manager can."""
    looks = ["patroni-a takes writes", ""]
    monkeypatch.setattr(fencing, "must_stay", lambda *_: looks.pop(0))
    assert healed(Told(looks=[""])).ok


def test_a_frozen_manager_goes_on_before_anybody_is_let_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever heals: otherwise its server would never give up."""
    order: list[str] = []
    stack: Any = SimpleNamespace(components=lambda: {"patroni-a": Leader(order)})
    monkeypatch.setattr(fencing, "must_stay", lambda *_: order.append("asked") or "")
    assert healing.heal(stack, Told(looks=[""]), {"names": [], healing.FROZEN: "patroni-a"}).ok
    assert order == ["thawed", "asked"]


# Of a scenario


@dataclass
class Leader:
    """Its manager was frozen, for sabotage."""

    order: list[str]
    name = "patroni-a"

    def freeze_manager(self) -> None:
        self.order.append("frozen")

    def thaw_manager(self) -> None:
        self.order.append("thawed")


def of_a_scenario(tmp_path: Path, order: list[str], sabotage: Sabotage) -> tuple[ActiveFaults, Memory]:
    journal = Memory()
    run: Any = SimpleNamespace(
        folder=tmp_path, journal=journal, stack=FakeStack(), guardian=SimpleNamespace(ensure=lambda: None),
        options=SimpleNamespace(sabotage=sabotage),
    )  # fmt: skip  # arguments in groups
    leader: Any = SimpleNamespace(known=Leader(order))
    return ActiveFaults(run, leader), journal


def test_the_last_fault_is_healed_first_and_one_that_cannot_be_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not healed stays on disk, for whoever comes next; so does whose manager sabotage has frozen."""
    order: list[str] = []

    def heal(stack: Stack, fault: Any, needed: Any, **_: Any) -> Healing:
        order.append(fault.names[0])
        assert needed[healing.FROZEN] == "patroni-a"
        ok = fault.names[0] != "api-b"
        return Healing(ok, "healed" if ok else "not healed", "seen", clock.mono(), clock.mono())

    monkeypatch.setattr("harness.scenario.active_faults.healed", heal)
    monkeypatch.setattr(KillComponent, "took_effect", lambda *_: "it is down")
    faults, journal = of_a_scenario(tmp_path, order, Sabotage(unfenced=True))
    for name in ("api-a", "api-b"):
        faults.inject(KillComponent((name,)))
    faults.heal()
    first = next(data for kind, data in journal.facts if kind == "fault.effective")
    assert faults.begun <= faults.effective == first["earliest"]
    assert order == ["frozen", "frozen", "api-b", "api-a"]
    lines = [data for kind, data in journal.facts if kind == "fault.healed"]
    assert [(line["injection"], line["ok"], line["how"]) for line in lines] == [
        (2, False, "not healed"),
        (1, True, "healed"),
    ]
    (left,) = undo.pending(tmp_path)
    assert left.known() == KillComponent(("api-b",))


def test_what_a_sentence_has_left_of_a_fault_is_looked_at_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each that is not healed, or of those that are named; that nobody can look is said, too. It heals nothing."""
    looks: list[str | Exception] = ["", "api-b does not run", NotReady("the machine is gone", hint="look")]

    def still_hurt(*_: object) -> str:
        look = looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look

    monkeypatch.setattr(KillComponent, "took_effect", lambda *_: "it is down")
    monkeypatch.setattr(KillComponent, "still_hurt", still_hurt)
    faults, journal = of_a_scenario(tmp_path, [], Sabotage())
    faults.inject(KillComponent(("api-b",)))
    for names in ((), ("kill_component",), ("another",), ()):
        faults.look(*names, after="it was started")
    said = [(data["ok"], data["seen"], data["after"]) for kind, data in journal.facts if kind == "fault.left"]
    assert said == [
        (True, "nothing of it is left", "it was started"),
        (False, "api-b does not run", "it was started"),
        (False, "nobody could look: the machine is gone", "it was started"),
    ]
    assert not [kind for kind, _ in journal.facts if kind == "fault.healed"]
