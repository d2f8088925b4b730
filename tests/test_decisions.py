"""Decisions of people: asked for by a file, answered from any shell, timed, and never waited for without end."""

from __future__ import annotations

import contextlib
import os
import pty
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from harness.checks import Outcome
from harness.checks.evidence import Expectation
from harness.checks.judge import judge
from harness.checks.steps import decision
from harness.cli import drdrill
from harness.cli.live import Live
from harness.cli.prompt import Person
from harness.errors import Declined, Refused
from harness.evidence.run_folder import CONTROL, UNFINISHED
from harness.features.sentences import Approval
from harness.run import decisions
from harness.run.decisions import Attended, Decision, Question, StandIn
from harness.safety.running import held
from harness.scenario.decision import DecisionDesk
from harness.scenario.scenario import ScenarioRun
from harness.system import clock
from harness.system.recorder import Memory
from tests.histories import NAME, a_mistake

WHO, WHAT = "incident commander", "Restore?"
SHORT, LONG = timedelta(milliseconds=300), timedelta(seconds=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / f"r1{UNFINISHED}"
    (made / CONTROL).mkdir(parents=True)
    return made


class Asking:
    """A drill that asks, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.recorder = Memory()
        self.desk = Attended(folder, self.recorder)
        self.given: list[Decision] = []
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        begin = clock.mono()
        while decisions.open_question(folder) is None:
            assert clock.since(begin) < LONG
        self.question = cast(Question, decisions.open_question(folder))

    def _ask(self) -> None:
        self.given.append(self.desk.ask(WHAT, role=WHO, within=LONG))

    def end(self) -> Decision:
        self._thread.join(LONG.total_seconds())
        return self.given[0]


@pytest.fixture
def asking(folder: Path) -> Iterator[Asking]:
    made = Asking(folder)
    yield made
    decisions.answer(folder, made.question, Decision("no", by="the test"))
    made.end()


@pytest.fixture
def keyboard() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo terminal: where a person types, and where the drill reads."""
    hand, drill = pty.openpty()
    tty.setcbreak(drill)
    yield hand, drill
    for end in (hand, drill):
        with contextlib.suppress(OSError):
            os.close(end)


def test_a_stand_in_decides_at_once_and_is_nobody() -> None:
    """Its answer says that nobody's decision was exercised."""
    given = StandIn().ask(WHAT, role=WHO, within=LONG)
    assert (given.answer, given.attended) == ("yes", False)


def test_the_first_answer_stands(folder: Path, asking: Asking) -> None:
    """Who is slower is told so; the question is gone, and a next one has a number of its own."""
    assert (asking.question.role, asking.question.question) == (WHO, WHAT)
    assert decisions.answer(folder, asking.question, Decision("no", by="Noor"))
    assert not decisions.answer(folder, asking.question, Decision("yes", by="Mira"))
    assert asking.end() == Decision("no", by="Noor", attended=True)
    assert decisions.open_question(folder) is None
    assert not decisions.answer(folder, asking.question, Decision("yes", by="Mira"))
    kinds = [kind for kind, _ in asking.recorder.facts]
    assert kinds == ["asked", "wait"]


def test_nobody_is_waited_for_without_end(folder: Path) -> None:
    """When the time is up the question is taken back, and the words say who was asked."""
    with pytest.raises(Declined, match="nobody decided within 0 s for the incident commander: Restore"):
        Attended(folder, Memory()).ask(WHAT, role=WHO, within=SHORT)
    assert not list((folder / CONTROL).iterdir())


def test_a_stop_ends_the_waiting(folder: Path) -> None:
    """Whatever interrupts the drill interrupts the question, which is taken back."""

    class Interrupted(Memory):
        def record(self, kind: str, /, **data: Any) -> None:
            threading.Timer(0.2, os.kill, (os.getpid(), 2)).start()

    with pytest.raises(KeyboardInterrupt):
        Attended(folder, Interrupted()).ask(WHAT, role=WHO, within=LONG)
    assert decisions.open_question(folder) is None


@pytest.mark.parametrize(("left", "given"), [(None, 60), (15, 10), (8, 4), (0, 0)])
def test_people_have_what_the_fault_leaves_them(left: float | None, given: float) -> None:
    """Five minutes are kept for the recovery, or half of the time; without a fault there is an hour (minutes)."""
    expires = None if left is None else clock.mono() + round(left * 60e9)
    assert decisions.time_for(expires).total_seconds() == pytest.approx(given * 60, abs=1)


def test_what_is_typed_answers_only_a_question_that_is_open(folder: Path, keyboard: tuple[int, int]) -> None:
    """Letters typed before are lost; a word that is none is asked for again; what is typed can be mended."""
    hand, drill = keyboard
    person = Person(folder, name="Mira", keyboard=drill)
    os.write(hand, b"yes\n")
    person.wait(SHORT)
    assert person.prompt() == ""
    os.write(hand, b"yes\n")  # and these lie there when the question comes
    asking = Asking(folder)
    person.wait(SHORT)
    assert person.prompt() == " | yes or no, as Mira > "
    os.write(hand, b"perhaps\n")
    person.wait(SHORT)
    assert person.prompt() == " | not understood: yes or no, as Mira > "
    os.write(hand, b"nox\x7f")
    person.wait(SHORT)
    assert person.prompt().endswith("as Mira > no") and not asking.given
    os.write(hand, b"\n")
    person.wait(SHORT)
    assert asking.end() == Decision("no", by="Mira", attended=True)
    assert person.prompt() == ""


def test_a_terminal_that_is_gone_is_no_busy_loop(folder: Path, keyboard: tuple[int, int], asking: Asking) -> None:
    """Reading fails or gives nothing, and the drill goes on."""
    hand, drill = keyboard
    person = Person(folder, name="Mira", keyboard=drill)
    os.close(hand)
    begin = clock.mono()
    person.wait(SHORT)
    assert clock.since(begin) >= SHORT and not asking.given
    with pytest.raises(termios.error):
        termios.tcgetattr(hand)


def test_anybody_may_answer_from_another_shell(folder: Path, asking: Asking) -> None:
    """`drdrill decide` shows the question, answers it under a name, and refuses a second answer."""
    with held(folder):
        shown = _decide(folder)
        assert f"the {WHO} was asked" in shown.output and WHAT in shown.output
        assert "Noor decides for the incident commander: yes" in _decide(folder, "yes", "--as", "Noor").output
        assert asking.end() == Decision("yes", by="Noor", attended=True)
        assert "no question waits" in str(_decide(folder, "no").exception)
    nothing = _decide(folder)
    assert isinstance(nothing.exception, Refused) and "no drill is running" in str(nothing.exception)


def _decide(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(drdrill, ["decide", *words, "--evidence", str(folder.parent)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attended"], "there is none here"),
        (["--attended", "--json"], "asks on the terminal"),
        (["--as", "Mira"], "name of whoever decides"),
    ],
)
def test_attended_wants_a_terminal(words: list[str], said: str, tmp_path: Path) -> None:
    """Without one it is refused, with what to do; a name without a question, too."""
    argv = ["run", "database-backup-restoration", "--evidence", str(tmp_path / "e"), *words]
    done = CliRunner().invoke(drdrill, argv)
    assert isinstance(done.exception, Refused) and said in done.exception.message
    assert not (tmp_path / "e").exists()


def test_a_proof_is_never_attended(tmp_path: Path) -> None:
    """There is no such option."""
    done = CliRunner().invoke(drdrill, ["prove", "database-backup-restoration", "--attended"])
    assert "No such option" in done.output


def _desk(folder: Path, given: Decision | None) -> DecisionDesk:
    class Desk:
        def ask(self, question: str, *, role: str, within: timedelta) -> Decision:
            if given is None:
                raise Declined("nobody decided", hint="be there")
            return given

    return DecisionDesk(cast(Any, SimpleNamespace(folder=folder, desk=Desk(), journal=Memory())))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Decision("no", by="Mira"), "the incident commander decided against it: Restore?"),
        (Decision("maybe", by="Mira"), "decided against it"),
        (None, "nobody decided"),
    ],
    ids=["no", "not a word", "nobody"],
)
def test_only_a_yes_recovers(folder: Path, given: Decision | None, said: str) -> None:
    """Everything else ends the scenario; what was answered, and by whom, is in the journal all the same."""
    desk = _desk(folder, given)
    with pytest.raises(Declined, match=said):
        desk.ask(WHAT, role=WHO)
    assert desk.declined
    facts = cast(Memory, desk._run.journal).facts
    decided = [data for kind, data in facts if kind == "decided"]
    assert [(data["by"], data["answer"]) for data in decided] == ([("Mira", given.answer)] if given else [])
    assert [kind for kind, _ in facts if kind.startswith("span")] == ["span.begin", "span.end"]
    assert not _decided_yes(folder).declined


def _decided_yes(folder: Path) -> DecisionDesk:
    desk = _desk(folder, Decision("yes", by="Mira"))
    desk.ask(WHAT, role=WHO)
    return desk


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_what_a_sentence_asks_is_asked_before_it_is_carried_out(folder: Path, answer: str) -> None:
    """The sentence is in the journal, then the answer; after a no nothing of it is done."""
    desk = _desk(folder, Decision(answer, by="Mira"))
    journal = cast(Memory, desk._run.journal)
    scenario: Any = SimpleNamespace(look_at_room=lambda: None, journal=journal, decisions=desk)
    with nullcontext() if answer == "yes" else pytest.raises(Declined):
        ScenarioRun.say(scenario, "When", "it is restored", asks=Approval(WHAT, WHO))
    assert [kind for kind, _ in journal.facts] == ["sentence", "span.begin", "decided", "span.end"]
    ScenarioRun.say(scenario, "Then", "it is there")
    assert journal.facts[-1][0] == "sentence"


def test_the_time_of_all_decisions_is_added_up() -> None:
    """Each from the beginning of its own span; who decided what is told."""
    history = a_mistake()
    for _, kind, data in history.lines:
        if kind == "decided":
            data.update(attended=True, answer="yes", by="Mira")
    history.say(50, "span.begin", span="decide")
    history.say(57.5, "decided", question="Go on?", role="CTO", by="Noor", attended=True, answer="no")
    found = decision(history.evidence(), Expectation("decision"))
    assert found.figure == pytest.approx(7.6)
    assert "commander Mira: yes, CTO Noor: no in 7.600 s" in found.reason


def test_a_decision_that_nobody_took_is_a_lower_bound() -> None:
    """UNKNOWN, and MISSED where it already took longer than it may."""
    history = a_mistake()
    history.drop("decided")
    history.say(31.5, "asked", question=WHAT, role=WHO, within=600)
    found = decision(history.evidence(), Expectation("decision"))
    assert (found.outcome, found.lower_bound) == (Outcome.UNKNOWN, True)
    assert "nobody had decided for the incident commander after" in found.reason
    assert decision(history.evidence(), Expectation("decision", limit=5)).outcome is Outcome.MISSED


def test_what_a_person_decided_against_is_unknown() -> None:
    """Nothing was recovered, so nothing is said about it; only the clock may have passed its objective."""
    history = a_mistake()
    before = (
        "scenario.begin",
        "expect",
        "steady",
        "workload.begin",
        "reconciliation",
        "reconciliation.rules",
        "fault.intent",
        "fault.effective",
        "detected",
    )
    history.drop(*({kind for _, kind, _ in history.lines} - {*before}))
    history.drop("steady", "reconciliation", where=lambda data: data["moment"] == "after")
    history.rows.clear()
    error = "the incident commander decided against it: Restore?"
    history.say(57, "fault.healed", fault="destroy", ok=True, by="harness", seen="healed")
    history.say(58, "scenario.end", scenario=NAME, outcome="failed", error=error)
    found = {finding.id: finding for finding in judge(history.evidence())}
    assert Outcome.MISSED not in {finding.outcome for finding in found.values()}, found
    assert error in found["scenario"].reason and error in found["rto"].reason


def test_the_view_says_who_is_asked_and_who_decided(tmp_path: Path) -> None:
    """The question with the time for it, then the answer with the name."""
    said: list[str] = []
    live = Live(tmp_path, say=said.append)
    live.show({"mono": 0, "kind": "asked", "data": {"question": WHAT, "role": WHO, "within": 599.7}})
    assert live.status().startswith("waits for an answer")
    data = {"question": WHAT, "role": WHO, "by": "Mira", "attended": True, "answer": "no"}
    live.show({"mono": 0, "kind": "decided", "data": data})
    whole = "\n".join(said)
    assert f"the {WHO} is asked: {WHAT}" in whole and "answer within 10 min: yes or no" in whole
    assert "Mira decides for the incident commander: no" in whole
