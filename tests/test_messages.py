"""The services of a stack by which people are told: how each is, by a real try, and what came in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import Refused
from harness.stacks.capabilities import CAPABILITIES
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.parts import messages
from harness.stacks.parts.messages import Messages
from harness.stacks.parts.receivers import control
from harness.stacks.parts.receivers.control import MODES
from harness.stacks.parts.receivers.unit import PATHS
from tests.receivers import Receivers

EVERY = [(service, mode) for service, modes in MODES.items() for mode in modes]


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    """New for each test: how often a service takes a message is real."""
    made = Receivers(tmp_path / "received-messages")
    yield made
    made.stop()


@pytest.fixture
def stack(receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> Messages:
    """What a stack holds, at the receivers of this process."""
    monkeypatch.setattr(messages, "PATIENCE", timedelta(seconds=0.3))
    ground: Any = SimpleNamespace(folder=receivers.folder.parent)
    made = Messages(ground, address="127.0.0.1")
    made._urls = {
        name: ("smtp://127.0.0.1:" if name == "e-mail" else "http://127.0.0.1:") + str(port) + PATHS.get(name, "")
        for name, port in receivers.ports.items()
    }
    receivers.behave()
    return made


def test_it_fills_both_protocols(stack: Messages) -> None:
    """And both are in the table of capabilities."""
    assert isinstance(stack, Messaged) and isinstance(stack, Interruptible)
    assert {Messaged, Interruptible} <= {each.protocol for each in CAPABILITIES}


@pytest.mark.parametrize(("service", "mode"), EVERY)
def test_a_real_try_tells_how_a_service_is(stack: Messages, service: str, mode: str) -> None:
    """In each way that it can be, and after that as it should be."""
    stack.set_service(service, mode)
    assert stack.service_is(service) == mode
    stack.set_service(service, "up")
    assert stack.service_is(service) == "up"


def test_a_try_is_no_message_that_came_in(stack: Messages) -> None:
    """What is judged later are messages to people."""
    stack.service_is("slack")
    assert stack.received() == []


def test_who_answers_stays_when_a_service_fails(stack: Messages, receivers: Receivers) -> None:
    """Both are said in one file."""
    stack.people_answer({"mira@example.com": timedelta(seconds=2)}, otherwise=None)
    stack.set_service("slack", "refuses")
    said = control.read(receivers.folder)
    assert said.mode("slack") == "refuses" and said.people == {"mira@example.com": timedelta(seconds=2)}


def test_what_there_is_not_cannot_be_asked(stack: Messages) -> None:
    """The error names what there is."""
    with pytest.raises(Refused, match="no service fax"):
        stack.service_is("fax")
    with pytest.raises(Refused, match="has no mode html"):
        stack.set_service("e-mail", "html")
