"""A scenario that tells people: by the simulated services of this process, and by what is wrong in a sabotaged one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.communications import contacts
from harness.communications.incident import FIELDS, Incident
from harness.errors import NotReady, Refused
from harness.run.sabotage import TELLING, Sabotage
from harness.scenario.communications import Communications
from harness.stacks.parts import messages
from harness.stacks.parts.messages import Messages
from harness.stacks.parts.receivers.unit import PATHS
from harness.system import wait
from harness.system.recorder import Memory
from tests.receivers import Receivers
from tests.this_project import PROJECT

INCIDENT = Incident("Category 1", "api-b does not answer", "2026-11-23 20:55 UTC", "the API", "within 4 hours")
SOON = timedelta(milliseconds=100)
LONG = timedelta(seconds=20)
GROUPS = ("customers", "stakeholders")
PLAN = PROJECT.load_plan()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], tuple[Communications, Memory]]]:
    """A scenario's own, with its journal; it takes the word of a sabotage. Nobody takes part."""
    monkeypatch.setattr(messages, "PATIENCE", timedelta(seconds=0.3))
    receivers = Receivers(tmp_path / "received-messages")
    ground: Any = SimpleNamespace(folder=tmp_path)
    stack: Any = Messages(ground, address="127.0.0.1")
    stack.secrets = ()
    stack._urls = {
        name: ("smtp://127.0.0.1:" if name == "e-mail" else "http://127.0.0.1:") + str(port) + PATHS.get(name, "")
        for name, port in receivers.ports.items()
    }

    def made(telling: str) -> tuple[Communications, Memory]:
        journal = Memory()
        run: Any = SimpleNamespace(
            stack=stack, journal=journal, plan=PLAN, project=PROJECT,
            options=SimpleNamespace(sabotage=Sabotage(telling=telling), attended=False), folder=tmp_path,
        )  # fmt: skip  # arguments in groups
        return Communications(run), journal

    yield made
    receivers.stop()


def of(journal: Memory, kind: str) -> list[dict[str, Any]]:
    return [data for said, data in journal.facts if said == kind]


def everything(made: Communications, *, ratio: float = 60.0) -> None:
    """All that a scenario has people told."""
    made.begin(ratio=ratio, after=SOON)
    made.call(INCIDENT)
    made.tell("initial", INCIDENT, groups=GROUPS)
    assert made.settled(within=LONG)
    made.tell("resolution", INCIDENT, groups=GROUPS)
    made.tell("report", INCIDENT, groups=GROUPS)
    made.end()


def test_everybody_is_told_and_nobody_is_named(told: Callable[[str], tuple[Communications, Memory]]) -> None:
    """Each role answers by the primary channel, both groups are told thrice, and no line has an address."""
    made, journal = told("")
    everything(made)
    assert {each["role"] for each in of(journal, "message.acknowledged")} == set(PLAN.communication.roles)
    assert {each["channel"] for each in of(journal, "message.acknowledged")} == {"slack"}
    kinds = [each["what"] for each in of(journal, "message")]
    assert kinds.count("call-out") == 5 and kinds.count("initial") == kinds.count("resolution") == 2
    assert all(each["marked"] and each["kept"] for each in of(journal, "message.received"))
    assert {each["service"] for each in of(journal, "message.received")} == {"slack", "e-mail", "status page"}
    assert of(journal, "report.due") and of(journal, "communications.begin")[0]["ratio"] == 60.0
    assert PROJECT.contacts
    private = contacts.private_words(contacts.load(PROJECT.contacts))
    assert not [word for word in private if word in repr(journal.facts)]


def test_a_second_end_does_no_harm_and_nobody_is_told_before_the_begin(
    told: Callable[[str], tuple[Communications, Memory]],
) -> None:
    """A scenario in which no sentence tells anybody ends without a word."""
    made, journal = told("")
    made.end()
    assert not journal.facts
    with pytest.raises(Refused, match="nobody can be told yet"):
        made.call(INCIDENT)
    made.begin(ratio=60.0, after=SOON)
    made.end()
    made.end()


def test_services_that_are_not_there_are_nobodys_failure(told: Callable[[str], tuple[Communications, Memory]]) -> None:
    """Then nothing is said, and nothing judged."""
    made, journal = told("")
    made._run.stack.set_service("page", "down")
    with pytest.raises(NotReady, match="is down"):
        made.begin(ratio=60.0, after=SOON)
    assert not journal.facts


@pytest.mark.parametrize("word", TELLING)
def test_each_sabotage_is_seen_in_the_journal(word: str, told: Callable[[str], tuple[Communications, Memory]]) -> None:
    """What it does, and nothing else is wrong."""
    made, journal = told(word)
    everything(made, ratio=120.0 if word == "wrong contact" else 60.0)
    marked = {each["marked"] for each in of(journal, "message")}
    assert marked == ({False} if word == "EXERCISE missing" else {True})
    lost = [each for each in of(journal, "message.received") if not each["kept"]]
    assert bool(lost) == (word == "message lost")
    kinds = [each["what"] for each in of(journal, "message")]
    assert kinds.count("resolution") == (4 if word == "resolution too soon" else 2)
    instead = [each["instead_of"] for each in of(journal, "message") if each["instead_of"]]
    assert instead == (["technical lead"] if word == "wrong contact" else [])
    channels = {tuple(each["channels"]) for each in of(journal, "message") if each["what"] == "call-out"}
    assert channels == ({("slack",)} if word == "fallback off" else {("slack", "teams", "bridge")})


def test_updates_go_out_until_the_resolution(told: Callable[[str], tuple[Communications, Memory]]) -> None:
    """A minute of the incident before each is due; the one that a sabotage forgets is missing."""
    for word, numbers in (("", 2), ("update forgotten", 1)):
        made, journal = told(word)
        made.begin(ratio=3600.0, after=SOON)
        made.tell("initial", INCIDENT, groups=GROUPS)
        made.keep_telling(INCIDENT, groups=GROUPS)
        pause = made.lasts(timedelta(minutes=62))
        wait.poll(lambda: False, within=pause)
        made.tell("resolution", INCIDENT, groups=GROUPS)
        made.end()
        updates = [each for each in of(journal, "message") if each["what"] == "update"]
        assert len(updates) == numbers * len(GROUPS)
        assert of(journal, "updates.begin")[0]["every"] == 29 * 60


def test_every_field_has_a_value() -> None:
    """So that no template can be left with a hole."""
    fields = INCIDENT.fields(PLAN.communication, role="technical lead", number=2)
    assert fields.keys() == FIELDS and all(fields.values())
    assert fields["update_every"] == "30 minutes" and fields["report_within"] == "72 hours"
