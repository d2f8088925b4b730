"""Sending to what stands in for the services: what arrives there, when some of them fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness.communications import contacts
from harness.communications.message import Message
from harness.communications.pace import Pace
from harness.communications.sender import Sender
from harness.system import wait
from harness.system.recorder import Memory
from tests.receivers import SHORT, Receivers
from tests.test_sender import CONTACTS, FAST, PLANNED, SOON


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    made = Receivers(tmp_path / "receivers")
    yield made
    made.stop()


def sender(receivers: Receivers, memory: Memory) -> Sender:
    patience = replace(FAST, attempts=50)
    return Sender(PLANNED, CONTACTS, receivers.channels(SHORT), recorder=memory, pace=Pace(60.0), patience=patience)


def test_all_five_are_reached_when_the_first_channel_fails(receivers: Receivers) -> None:
    """Slack never answers, and an acknowledgement by Teams comes; each role once by each channel."""
    receivers.behave({"slack": "hangs"}, otherwise=timedelta(seconds=0.1))
    memory = Memory()
    sending = sender(receivers, memory)
    for role in PLANNED.roles:
        sending.send(Message.of("call-out", role, "Down", f"You are called as {role}."))
    assert sending.settled(SOON)
    sending.stop()
    known = {data["role"]: data["channel"] for kind, data in memory.facts if kind == "message.acknowledged"}
    assert known == dict.fromkeys(PLANNED.roles, "teams")
    assert len(receivers.came_in("teams")) == 5 and receivers.came_in("slack") == []
    receipts = {data["receipt"] for kind, data in memory.facts if kind == "message.attempt" and data["ok"]}
    assert receipts == {line["token"] for line in receivers.came_in("teams")}


def test_customers_get_the_mail_once_the_server_takes_it_again(receivers: Receivers) -> None:
    """It defers for a while."""
    receivers.behave({"e-mail": "defers"})
    memory = Memory()
    sending = sender(receivers, memory)
    sending.send(Message.of("initial", "customers", "Down", "It is down."))
    wait.poll(lambda: len([1 for kind, _ in memory.facts if kind == "message.attempt"]) >= 3, within=SOON)
    receivers.behave()
    assert sending.settled(SOON)
    sending.stop()
    assert len(receivers.came_in("e-mail")) == 1 and (receivers.folder / "status.html").exists()
    text = json.dumps(memory.facts)
    assert [word for word in contacts.private_words(CONTACTS) if word in text] == []


def test_five_posts_at_once_are_not_too_many_and_more_are_waited_for(receivers: Receivers) -> None:
    """Slack takes a burst; where it has trouble, its `Retry-After` is honoured, or the next channel is used."""
    receivers.behave({"slack": "rate-limited"}, otherwise=timedelta())
    memory = Memory()
    sending = sender(receivers, memory)
    for role in PLANNED.roles:
        sending.send(Message.of("call-out", role, "Down", f"You are called as {role}."))
    assert sending.settled(SOON)
    sending.stop()
    known = [data["channel"] for kind, data in memory.facts if kind == "message.acknowledged"]
    assert len(known) == 5 and set(known) == {"slack", "teams"}
    late = [data for kind, data in memory.facts if kind == "message.attempt" and data["status"] == 429]
    assert late and all(data["retry_after"] >= 1 for data in late)
