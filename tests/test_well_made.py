"""What a project gives for a stack is looked at before it is started, and what it answers once it has been."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks import Condition, Entrance, PlainRegion
from harness.stacks.well_made import must_answer, must_be_well_made
from harness.system.command import Commands
from harness.system.recorder import Memory
from harness.system.resolver import Fixed


class Part:
    zone = ""

    def __init__(self, name: str) -> None:
        self.name = name

    def running(self) -> bool:
        return True


class Doored(Part):
    door: Any = ("127.0.0.1", 80)

    def ask(self) -> None: ...


class Till:
    """Everything that a stack must have; what a test gives takes the place of it."""

    kind = "till"
    environment = "embedded"
    regions: Any = (PlainRegion("here"),)
    secrets: Any = ()
    entrance: Any = Entrance("till.example", Fixed(("127.0.0.1",)), 80, ca=None)

    def __init__(self, **given: Any) -> None:
        self.folder: Any = Path("till")
        self.commands: Any = Commands(Memory(), label="r1")
        for name, value in given.items():
            setattr(self, name, value)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def components(self) -> Any:
        return {"front": Part("front"), "ledger": Doored("ledger")}

    def steady(self) -> Any:
        return [Condition("serves", ok=True, seen="HTTP 200")]

    def parts(self) -> Any:
        return {"python": "3.11"}

    def logs(self) -> Any:
        return {"front": Path("front.log")}


def test_one_that_is_whole_is_taken() -> None:
    """Nothing is said of it."""
    must_be_well_made(Till(), label="r1")
    must_answer(Till())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folder": "till"}, "`folder` is no Path, but 'till'"),
        ({"commands": None}, "`commands` is no"),
        ({"commands": Commands(Memory(), label="me")}, "label 'me', and not the one that it was given, 'r1'"),
        ({"regions": None}, "`regions` is no sequence"),
        ({"regions": ()}, "at least one region"),
        ({"regions": ("here",)}, "the region 'here' has no `name`"),
        ({"regions": (PlainRegion("here", "ab"),)}, "`zones` of the region here"),
        ({"regions": (PlainRegion("here", ["../a"]),)}, "`zones` of the region here"),
        ({"secrets": None}, "`secrets` is no sequence of words"),
        ({"secrets": "word"}, "`secrets` is no sequence of words"),
        ({"secrets": ("",)}, "none of them empty"),
        ({"components": lambda: [Part("front")]}, "no mapping from name to component"),
        ({"components": lambda: {"a/b": Part("a/b")}}, "a component is named 'a/b'"),
        ({"components": lambda: {"front": Part("back")}}, "the component front has the `name` 'back'"),
        ({"logs": lambda: None}, "no mapping from name to file"),
        ({"logs": lambda: {"../../evil": Path("x")}}, "a log is named '../../evil'"),
        ({"logs": lambda: {"front": "front.log"}}, "the log front is no Path"),
        ({"steady": True}, "`steady` is no method"),
        ({"folder": "till", "secrets": None}, "'till'; `secrets`"),
    ],
)
def test_what_is_wrong_is_told_before_it_is_started(given: Mapping[str, Any], said: str) -> None:
    """All of it, with the name of the class and where it is said what is right."""
    with pytest.raises(Refused) as refused:
        must_be_well_made(Till(**given), label="r1")
    assert "Till is no stack: " in refused.value.message and said in refused.value.message
    assert "docs/add-a-stack.md" in refused.value.hint


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steady": list}, "`steady()` gives no list of at least one Condition, but []"),
        ({"steady": lambda: ["well"]}, "no list of at least one Condition"),
        ({"parts": lambda: None}, "`parts()` gives no mapping"),
        ({"entrance": None}, "`entrance` is no"),
        ({"logs": lambda: None}, "no mapping from name to file"),
    ],
)
def test_what_it_answers_is_told_once_it_has_been_started(given: Mapping[str, Any], said: str) -> None:
    """Where it is no answer."""
    with pytest.raises(Refused) as refused:
        must_answer(Till(**given))
    assert said in refused.value.message


def test_a_door_is_an_address_and_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the component whose door it is."""
    monkeypatch.setattr(Doored, "door", "here")
    with pytest.raises(Refused, match="the `door` of the component ledger is no address and port, but 'here'"):
        must_answer(Till())
