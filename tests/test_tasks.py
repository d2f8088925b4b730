"""The conference bridge where people take part: who is to be called is shown to them, and they say who is there."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import stat
import tty
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import drdrill
from harness.cli.prompt import Person
from harness.cli.screen import Screen
from harness.communications.channels import Channel, NotReached, Receipt
from harness.communications.channels.bridge import Task
from harness.communications.message import Message
from harness.communications.pace import Pace
from harness.communications.sender import Sender
from harness.errors import Refused
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.run import decisions, tasks
from harness.run.decisions import Decision, Question
from harness.run.tasks import Tasks
from harness.system import clock, control_files, wait
from harness.system.clock import Moment
from harness.system.recorder import Memory
from tests.test_decisions import held
from tests.test_sender import CONTACTS, FAST, PLANNED, SOON, Fake, fails

LEAD, BOSS, AFTER = "technical lead", "incident commander", "business continuity"
NUMBER, BRIDGE = "+1-555-0102", "+1-555-0199"
SHORT = timedelta(milliseconds=300)
CALL = Message.of("call-out", LEAD, "Down", "It is down.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / f"r1{UNFINISHED}"
    (made / CONTROL).mkdir(parents=True)
    return made


@pytest.fixture
def keyboard() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo terminal: where a person types, and where the drill reads."""
    hand, drill = pty.openpty()
    tty.setcbreak(drill)
    yield hand, drill
    for end in (hand, drill):
        with contextlib.suppress(OSError):
            os.close(end)


def call(given: Tasks, role: str = LEAD) -> Receipt:
    """Somebody is to be called."""
    return given.bridge(BRIDGE).send(replace(CALL, whom=role), NUMBER)


def ask(folder: Path) -> Question:
    """The drill itself waits for a decision."""
    put = Question(1, BOSS, "Restore?", clock.mono(), 60.0)
    control_files.leave(folder / CONTROL / decisions.FILE, vars(put))
    return put


def test_a_yes_is_the_acknowledgement_and_its_moment_is_on_the_one_clock(folder: Path) -> None:
    """Between two looks at it; whoever says it is named."""
    given = Tasks(folder)
    receipt, bridge, before = call(given), given.bridge(BRIDGE), clock.mono()
    assert bridge.real and bridge.acknowledged(receipt) is None
    (task,) = tasks.open_tasks(folder)
    assert task.role == LEAD and BRIDGE in task.does and task.does.startswith("EXERCISE")
    assert NUMBER not in repr(task) and BRIDGE not in repr(bridge)
    assert tasks.answer(folder, task, Decision("yes", by="Mira"))
    moment = bridge.acknowledged(receipt)
    assert moment and before <= moment.earliest == moment.latest <= clock.mono() and moment.by == "Mira"
    assert tasks.open_tasks(folder) == []
    assert not tasks.answer(folder, task, Decision("no", by="Noor"))


def test_a_deputy_is_called_for_somebody(folder: Path) -> None:
    """Whoever was called for themselves may be called again, and people see why."""
    given = Tasks(folder)
    given.bridge(BRIDGE).send(CALL.for_deputy(BOSS), NUMBER)
    (task,) = tasks.open_tasks(folder)
    assert task.role == BOSS and f"Call the {BOSS}, for the {LEAD}, at {NUMBER}" in task.asks[1]


def test_a_no_says_that_nobody_is_reached(folder: Path) -> None:
    """And by whom."""
    given = Tasks(folder)
    receipt = call(given)
    tasks.answer(folder, tasks.open_tasks(folder)[0], Decision("no", by="Noor"))
    with pytest.raises(NotReached) as caught:
        given.bridge(BRIDGE).acknowledged(receipt)
    assert caught.value.by == "Noor"


def test_only_its_owner_can_read_it_and_it_goes(folder: Path) -> None:
    """When nobody waits for it any more, and when the scenario ends; then none is given."""
    given = Tasks(folder)
    first, _ = call(given), call(given, BOSS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / CONTROL).iterdir()} == {0o600}
    task = tasks.open_tasks(folder)[0]
    given.bridge(BRIDGE).withdraw(first)
    given.bridge(BRIDGE).withdraw(first)
    assert [each.role for each in tasks.open_tasks(folder)] == [BOSS]
    assert not tasks.answer(folder, task, Decision("yes", by="Mira")) and given.joined(task.token) is None
    given.end()
    assert list((folder / CONTROL).iterdir()) == []
    with pytest.raises(OSError, match="has ended"):
        given.give(Task("t", LEAD, "call"))


@pytest.mark.parametrize("mono", [0, "soon", None, 2**63])
def test_a_moment_that_cannot_be_is_none(mono: Any, folder: Path) -> None:
    """Before it was asked, or later than now: nobody has answered."""
    given = Tasks(folder)
    receipt = call(given)
    answered = folder / CONTROL / f"answer-task-{receipt.token}.json"
    control_files.leave(answered, {"answer": "yes", "by": "Mira", "mono": mono})
    assert given.joined(receipt.token) is None


def test_what_is_no_task_is_not_shown(folder: Path) -> None:
    """And no run that has none has any."""
    (folder / CONTROL / "task-x.json").write_text('{"token": "x"}')
    (folder / CONTROL / "task-y.json").write_text("[")
    assert tasks.open_tasks(folder) == [] == tasks.open_tasks(folder / "nowhere")


def test_the_terminal_asks_for_a_decision_before_a_task_and_one_task_after_another(
    folder: Path, keyboard: tuple[int, int]
) -> None:
    """What is typed for one is never taken for another."""
    hand, drill = keyboard
    person, given = Person(folder, name="Mira", keyboard=drill), Tasks(folder)
    first, second = call(given), call(given, BOSS)
    person.wait(SHORT)
    assert person.prompt() == f" | {LEAD} on the bridge? yes or no, as Mira > "
    os.write(hand, b"ye")
    person.wait(SHORT)
    put = ask(folder)
    person.wait(SHORT)
    assert person.prompt() == " | yes or no, as Mira > "
    os.write(hand, b"s\n")
    person.wait(SHORT)
    assert person.prompt().startswith(" | not understood")
    os.write(hand, b"no\n")
    person.wait(SHORT)
    assert decisions.open_question(folder) is None and len(tasks.open_tasks(folder)) == 2
    assert json.loads((folder / CONTROL / f"answer-{put.number}.json").read_text())["answer"] == "no"
    for word in (b"yes\n", b"n\n"):
        person.wait(SHORT)
        os.write(hand, word)
        person.wait(SHORT)
    person.wait(SHORT)
    assert person.prompt() == "" and given.joined(first.token)
    with pytest.raises(NotReached):
        given.joined(second.token)


def test_whoever_shows_the_run_shows_each_task_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the number, and with how to answer from elsewhere."""
    given, screen = Tasks(folder), Screen(folder, status=False)
    call(given)
    for _ in range(2):
        screen.look()
    said = capsys.readouterr().out
    assert said.count(BRIDGE) == said.count(NUMBER) == 1
    assert "`drdrill decide yes --for 'technical lead'`" in said


def test_anybody_may_answer_from_another_shell(folder: Path) -> None:
    """It names whom it is about, and is never taken for a decision; nor is a decision for it."""
    given = Tasks(folder)
    receipt, _ = call(given), call(given, BOSS)
    with held(folder):
        shown = _decide(folder).output
        assert shown.count(BRIDGE) == 2 and "It is down." in shown and "no decision waits" in shown
        wrong = _decide(folder, "yes").exception
        assert isinstance(wrong, Refused) and "no question waits" in wrong.message and "--for" in wrong.hint
        ask(folder)
        assert "Restore?" in _decide(folder).output
        assert BRIDGE in _decide(folder, "--for", LEAD).output
        said = _decide(folder, "yes", "--for", LEAD, "--as", "Noor").output
        assert said == f"Noor says whether the {LEAD} is on the bridge: yes\n"
        again = _decide(folder, "no", "--for", LEAD).exception
        assert isinstance(again, Refused) and f"nobody is to call the {LEAD} now" in again.message
        assert decisions.open_question(folder)
    moment = given.joined(receipt.token)
    assert moment and moment.by == "Noor"


def _decide(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(drdrill, ["decide", *words, "--evidence", str(folder.parent)])


class Calling:
    """The lead is called by a sender of whose channels only the bridge takes anything."""

    def __init__(self, folder: Path, *, pace: float) -> None:
        self.folder, self.memory, self.tasks = folder, Memory(), Tasks(folder)
        down = {name: Fake(name, [fails()]) for name in ("slack", "teams", "e-mail", "status page")}
        channels: dict[str, Channel] = {**down, "bridge": self.tasks.bridge(BRIDGE)}
        self.sender = Sender(PLANNED, CONTACTS, channels, recorder=self.memory, pace=Pace(pace), patience=FAST)
        self.sender.send(CALL)

    def says(self, role: str, word: str) -> None:
        """Once this role is to be called."""
        found = wait.poll(
            lambda: [each for each in tasks.open_tasks(self.folder) if each.role == role], within=SOON, every=SHORT / 30
        )
        tasks.answer(self.folder, found[0], Decision(word, by="Mira"))

    def end(self) -> None:
        assert self.sender.settled(SOON)
        self.sender.stop()
        self.tasks.end()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for said, data in self.memory.facts if said == kind]


def test_a_no_calls_the_deputy_at_once(folder: Path) -> None:
    """Long before the plan's time is over; who said so is recorded, and no number is."""
    calling, begun = Calling(folder, pace=1.0), clock.mono()
    calling.says(LEAD, "no")
    calling.says(BOSS, "yes")
    calling.end()
    assert clock.since(begun) < SOON
    (told,) = calling.of("message.not_reached")
    assert (told["role"], told["whom"], told["channel"], told["said_by"]) == (LEAD, LEAD, "bridge", "Mira")
    (known,) = calling.of("message.acknowledged")
    assert (known["role"], known["by"], known["attended"], known["ratio"]) == (LEAD, BOSS, True, 1.0)
    assert {each["real"] for each in calling.of("message.attempt") if each["channel"] == "bridge"} == {True}
    assert NUMBER not in repr(calling.memory.facts) and BRIDGE not in repr(calling.memory.facts)
    assert list((folder / CONTROL).iterdir()) == []


def test_silence_calls_the_deputies_and_what_is_over_is_asked_no_more(folder: Path) -> None:
    """In the plan's time; each task goes when the next is there, and the last is given up."""
    calling = Calling(folder, pace=600.0)
    seen = set()
    while not calling.sender.settled(timedelta(milliseconds=20)):
        waiting = tuple(each.role for each in tasks.open_tasks(folder))
        assert len(waiting) <= 1
        seen |= set(waiting)
    calling.end()
    assert seen == {LEAD, BOSS, AFTER}
    (given_up,) = calling.of("message.given_up")
    assert given_up["role"] == LEAD and given_up["why"] == "nobody acknowledged it"


def test_who_answers_by_another_channel_needs_not_be_called(folder: Path) -> None:
    """The task goes with the acknowledgement."""
    calling = Calling(folder, pace=1.0)
    assert wait.poll(lambda: tasks.open_tasks(folder), within=SOON)
    calling.says(LEAD, "yes")
    calling.end()
    slack = Fake("slack")
    memory, given = Memory(), Tasks(folder)
    channels: dict[str, Channel] = {**{name: Fake(name) for name in ("teams", "e-mail", "status page")}}
    channels |= {"slack": slack, "bridge": given.bridge(BRIDGE)}
    sender = Sender(PLANNED, CONTACTS, channels, recorder=memory, pace=Pace(600.0), patience=FAST)
    sender.send(CALL)
    assert wait.poll(lambda: tasks.open_tasks(folder), within=SOON)
    slack.seen[LEAD] = Moment(clock.mono(), clock.mono(), "a test")
    assert sender.settled(SOON)
    sender.stop()
    assert tasks.open_tasks(folder) == []
    (known,) = [data for kind, data in memory.facts if kind == "message.acknowledged"]
    assert (known["channel"], known["attended"]) == ("slack", False)
