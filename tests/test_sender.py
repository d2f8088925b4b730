"""Sending: channels in their order, again where that helps, nothing twice, deputies; and what the journal says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from harness import plan
from harness.communications import contacts
from harness.communications.channels import Channel, NotSent, Receipt
from harness.communications.delivery import Patience
from harness.communications.message import Kind, Message
from harness.communications.pace import Pace
from harness.communications.sender import Sender
from harness.errors import Refused
from harness.system import clock, wait
from harness.system.clock import Moment
from harness.system.recorder import Memory
from tests.test_house import HOME

PLANNED = plan.load(HOME / "drills" / "plan.yaml").communication
CONTACTS = contacts.load(HOME / "contacts.yaml")
SOON = timedelta(seconds=20)
FAST = Patience(first=timedelta(milliseconds=20), longest=timedelta(milliseconds=80), poll=timedelta(milliseconds=10))
PACE = Pace(600.0)  # the plan's 2 min are 0.2 s, and its 5 min are 0.5 s
LEAD, BOSS = "technical lead", "incident commander"  # the second stands in for the first
Does = Callable[[Message], Receipt]


@dataclass
class Fake:
    """A channel that does what a test says, one after another and the last one for ever; it keeps what it was given."""

    name: str
    does: list[Does] = field(default_factory=list)
    seen: dict[str, Moment] = field(default_factory=dict)
    real: bool = False
    sent: list[tuple[str, str, int]] = field(default_factory=list)  # to whom, to which address, and when

    def send(self, message: Message, address: str) -> Receipt:
        self.sent.append((message.whom, address, clock.mono()))
        if not self.does:
            return Receipt(self.name, f"{message.whom} {len(self.sent)}", 200)
        return (self.does.pop(0) if len(self.does) > 1 else self.does[0])(message)

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.seen.get(receipt.token.rpartition(" ")[0])


def fails(why: str = "no", **more: Any) -> Does:
    def does(message: Message) -> Receipt:
        raise NotSent(why, **more)

    return does


def takes(message: Message) -> Receipt:
    return Receipt("x", f"{message.whom} 0", 202)


class Bench:
    """A sender with fake channels."""

    def __init__(self, *, pace: Pace = PACE, patience: Patience = FAST, **changed: Any) -> None:
        self.memory = Memory()
        self.fakes = {name: Fake(name) for name in ("slack", "teams", "bridge", "e-mail", "status page")}
        channels: dict[str, Channel] = dict(self.fakes)
        self.sender = Sender(
            replace(PLANNED, **changed), CONTACTS, channels, recorder=self.memory, pace=pace, patience=patience
        )

    def acknowledges(self, role: str, channel: str) -> None:
        self.fakes[channel].seen[role] = Moment(clock.mono(), clock.mono(), "a test")

    def say(self, kind: Kind = "call-out", whom: str = LEAD, text: str = "It is down.") -> None:
        self.sender.send(Message.of(kind, whom, "Down", text, template=f"{kind}.txt"))

    def done(self) -> None:
        assert self.sender.settled(SOON)
        self.sender.stop()

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self.memory.facts if each == kind]

    def tries(self) -> list[tuple[str, str, int, bool | None]]:
        return [(each["role"], each["channel"], each["attempt"], each["ok"]) for each in self.lines("message.attempt")]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.sender.stop()


def test_who_acknowledges_at_once_is_told_by_the_first_channel_only(bench: Bench) -> None:
    """And it is recorded who, by which channel and after how long, with the ratio."""
    bench.acknowledges(LEAD, "slack")
    bench.say()
    bench.done()
    assert bench.tries() == [(LEAD, "slack", 1, True)]
    (known,) = bench.lines("message.acknowledged")
    assert (known["role"], known["by"], known["channel"], known["ratio"]) == (LEAD, LEAD, "slack", 600.0)
    (said,) = bench.lines("message")
    assert (said["whom"], said["what"], said["template"]) == (LEAD, "call-out", "call-out.txt")
    assert said["exercise"] and said["marked"] and said["channels"] == ["slack", "teams", "bridge"]
    assert said["message"] == said["digest"] == known["message"] and not bench.lines("message.given_up")


def test_the_next_channel_is_used_when_its_time_has_come(bench: Bench) -> None:
    """The plan's time, compressed by the ratio; an acknowledgement of the first still counts."""
    bench.say()
    wait.poll(lambda: bench.fakes["teams"].sent, within=SOON)
    bench.acknowledges(LEAD, "slack")
    bench.done()
    assert bench.tries() == [(LEAD, "slack", 1, True), (LEAD, "teams", 1, True)]
    first, second = (bench.fakes[name].sent[0][2] for name in ("slack", "teams"))
    assert 0.19 <= (second - first) / 1e9 <= 2
    assert bench.lines("message.acknowledged")[0]["channel"] == "slack"


def test_what_cannot_be_sent_goes_by_the_next_channel_at_once() -> None:
    """In the plan's order, to the address that each takes; nothing is tried again that will not do."""
    bench = Bench(pace=Pace(20.0))  # the next channel would have its time after 6 s
    bench.fakes["slack"].does = [fails("HTTP 404: no_service", status=404)]
    bench.fakes["teams"].does = [fails("HTTP 403")]
    bench.acknowledges(LEAD, "bridge")
    begun = clock.mono()
    bench.say()
    bench.done()
    assert [each[:2] for each in bench.tries()] == [(LEAD, "slack"), (LEAD, "teams"), (LEAD, "bridge")]
    assert clock.since(begun) < timedelta(seconds=5)
    assert bench.fakes["bridge"].sent[0][1] == "+1-555-0102"
    (first, *_) = bench.lines("message.attempt")
    assert (first["ok"], first["why"], first["status"], first["receipt"]) == (False, "HTTP 404: no_service", 404, "")


def test_what_may_work_later_is_tried_again_and_waits_longer_each_time(bench: Bench) -> None:
    """Twice as long, up to a bound, and without chance."""
    bench.fakes["slack"].does = [fails(again=True), fails(again=True), fails(again=True), takes]
    bench.acknowledges(LEAD, "slack")
    bench.say()
    bench.done()
    assert bench.tries() == [(LEAD, "slack", number, number == 4) for number in (1, 2, 3, 4)]
    times = [each[2] for each in bench.fakes["slack"].sent]
    gaps = [(after - before) / 1e6 for before, after in pairwise(times)]
    assert [gap >= least for gap, least in zip(gaps, (20, 40, 80), strict=True)] == [True] * 3 and max(gaps) < 2000


def test_a_service_says_when_to_come_again_and_is_obeyed() -> None:
    """`Retry-After` is real time, and longer than ours."""
    bench = Bench(pace=Pace(60.0))
    bench.fakes["slack"].does = [fails("HTTP 429", again=True, after=timedelta(seconds=0.3)), takes]
    bench.acknowledges(LEAD, "slack")
    bench.say()
    bench.done()
    first, second = (each[2] for each in bench.fakes["slack"].sent)
    assert 0.3 <= (second - first) / 1e9 < 1.9
    assert bench.lines("message.attempt")[0]["retry_after"] == 0.3


def test_who_says_to_come_much_later_is_not_waited_for() -> None:
    """The next channel is used at once: its time would be long over."""
    bench = Bench(pace=Pace(20.0))
    bench.fakes["slack"].does = [fails("HTTP 429", again=True, after=timedelta(hours=1))]
    bench.acknowledges(LEAD, "teams")
    begun = clock.mono()
    bench.say()
    bench.done()
    assert [each[1] for each in bench.tries()] == ["slack", "teams"] and clock.since(begun) < timedelta(seconds=5)


def test_what_nobody_knows_is_never_sent_again_by_that_channel(bench: Bench) -> None:
    """It goes by the next one; and the person may have had it by the first all the same."""
    bench.fakes["slack"].does = [fails("no answer", again=True, receipt=Receipt("slack", f"{LEAD} 0"))]
    bench.say()
    wait.poll(lambda: bench.fakes["teams"].sent, within=SOON)
    bench.acknowledges(LEAD, "slack")
    bench.done()
    assert bench.tries() == [(LEAD, "slack", 1, None), (LEAD, "teams", 1, True)]
    assert bench.lines("message.attempt")[0]["receipt"] == f"{LEAD} 0"
    assert bench.lines("message.acknowledged")[0]["channel"] == "slack"


def test_nothing_goes_twice_to_one_person_by_one_channel(bench: Bench) -> None:
    """The same message told again is none; another one is, and so is another person."""
    for whom, text in ((BOSS, "It is down."), (LEAD, "It is down."), (LEAD, "It is down."), (LEAD, "It is up.")):
        bench.acknowledges(whom, "slack")
        bench.say("update", whom, text)
    bench.done()
    assert sorted(each[:2] for each in bench.tries()) == [(BOSS, "slack"), (LEAD, "slack"), (LEAD, "slack")]
    assert len(bench.lines("message")) == 3


def test_who_does_not_answer_is_stood_in_for_by_the_deputy(bench: Bench) -> None:
    """After the plan's time and not before; the line says for whom, and who it was."""
    bench.acknowledges(BOSS, "slack")
    bench.say()
    bench.done()
    assert [each[:2] for each in bench.tries()] == [(LEAD, "slack"), (LEAD, "teams"), (LEAD, "bridge"), (BOSS, "slack")]
    assert 0.49 <= (bench.fakes["slack"].sent[1][2] - bench.fakes["slack"].sent[0][2]) / 1e9 < 5
    first, second = bench.lines("message")
    assert (second["whom"], second["instead_of"], second["message"]) == (BOSS, LEAD, first["message"])
    assert second["digest"] != first["digest"] and second["marked"]
    (known,) = bench.lines("message.acknowledged")
    assert (known["role"], known["by"], known["message"]) == (LEAD, BOSS, first["message"])
    assert known["after"] < 0.5  # the fake had said so before


def test_who_was_asked_first_may_still_answer_while_the_deputy_is_called(bench: Bench) -> None:
    """Then it is they who are reached."""
    bench.say()
    assert wait.poll(lambda: len(bench.lines("message")) == 2, within=SOON)
    bench.acknowledges(LEAD, "teams")
    bench.done()
    (known,) = bench.lines("message.acknowledged")
    assert (known["role"], known["by"], known["channel"]) == (LEAD, LEAD, "teams")


def test_where_no_deputy_answers_it_is_given_up_once(bench: Bench) -> None:
    """After all who stand in, one after another."""
    bench.say()
    bench.done()
    asked = list(dict.fromkeys(each[0] for each in bench.tries()))
    assert asked == [LEAD, BOSS, "business continuity"]
    (left,) = bench.lines("message.given_up")
    assert (left["role"], left["why"]) == (LEAD, "nobody acknowledged it") and left["after"] >= 1.4


def test_where_every_channel_fails_the_deputy_is_called_at_once_and_then_it_is_given_up() -> None:
    """Nothing was sent: there is nothing to wait for."""
    bench = Bench(pace=Pace(20.0))
    for fake in bench.fakes.values():
        fake.does = [fails("HTTP 403")]
    begun = clock.mono()
    bench.say()
    bench.done()
    assert clock.since(begun) < timedelta(seconds=5) and len(bench.tries()) == 9
    assert [each["why"] for each in bench.lines("message.given_up")] == ["no channel took it"]


def test_a_group_is_told_by_each_of_its_channels_and_asked_nothing(bench: Bench) -> None:
    """One that fails keeps the other from nothing."""
    bench.fakes["e-mail"].does = [fails("SMTP 550")]
    bench.say("initial", "customers")
    bench.done()
    assert sorted(each[1:] for each in bench.tries()) == [("e-mail", 1, False), ("status page", 1, True)]
    (left,) = bench.lines("message.given_up")
    assert (left["role"], left["channels"]) == ("customers", ["e-mail"]) and not bench.lines("message.acknowledged")


def test_what_nobody_knows_of_a_group_is_given_up_as_that(bench: Bench) -> None:
    """It may have arrived."""
    bench.fakes["e-mail"].does = [fails("no answer to the text", receipt=Receipt("e-mail", "x"))]
    bench.say("update", "stakeholders")
    bench.done()
    assert [each["why"] for each in bench.lines("message.given_up")] == ["nobody knows whether it arrived"]


def test_what_goes_to_one_person_goes_in_order(bench: Bench) -> None:
    """Also where a later message would be quicker."""
    bench.fakes["e-mail"].does = [fails(again=True), fails(again=True), takes]
    for number in range(3):
        bench.say("update", "stakeholders", f"Update {number}")
    bench.done()
    told = [each["digest"] for each in bench.lines("message")]
    assert [each["message"] for each in bench.lines("message.attempt")] == [told[0]] * 3 + told[1:]


def test_sending_never_holds_up_and_one_that_hangs_keeps_nobody_else_waiting(bench: Bench) -> None:
    """Whoever sends goes on at once; other people are told meanwhile; a stop gives up what is left, and is quick."""
    hanging = threading.Event()

    def hangs(message: Message) -> Receipt:
        hanging.wait(SOON.total_seconds())
        raise NotSent("at last")

    bench.fakes["slack"].does = [hangs]
    begun = clock.mono()
    bench.say()
    bench.say("initial", "customers")
    assert clock.since(begun) < timedelta(seconds=1)
    assert wait.poll(lambda: len(bench.tries()) == 2, within=SOON) and not bench.sender.settled(timedelta())
    bench.sender.stop(timedelta(milliseconds=50))
    assert clock.since(begun) < timedelta(seconds=2)
    (left,) = bench.lines("message.given_up")
    assert (left["role"], left["why"]) == (LEAD, "all was stopped while it was under way")
    before = len(bench.memory.facts)
    hanging.set()
    bench.say("update", BOSS)
    assert not wait.poll(lambda: len(bench.memory.facts) > before, within=timedelta(milliseconds=150))


def test_a_stop_ends_a_wait_for_an_acknowledgement() -> None:
    """In real time it would take minutes."""
    bench = Bench(pace=Pace(1.0))
    bench.say()
    wait.poll(lambda: bench.fakes["slack"].sent, within=SOON)
    begun = clock.mono()
    bench.sender.stop()
    assert clock.since(begun) < timedelta(seconds=1)
    assert [each["why"] for each in bench.lines("message.given_up")] == ["all was stopped while it was under way"]


def test_a_channel_that_breaks_is_a_line_and_no_crash(bench: Bench) -> None:
    """What came of it nobody knows; the next channel is used. One that breaks when asked has acknowledged nothing."""

    def breaks(message: Message) -> Receipt:
        raise RuntimeError("who are you, tech-lead@quantumnest.com?")

    bench.fakes["slack"].does = [breaks]
    bench.fakes["teams"].does = [lambda message: Receipt("teams", None)]
    bench.acknowledges(LEAD, "bridge")
    bench.say()
    bench.done()
    first = bench.lines("message.attempt")[0]
    assert first["ok"] is None and first["why"].startswith("the channel broke: RuntimeError: who are you")
    assert bench.lines("message.acknowledged")[0]["channel"] == "bridge"


def test_a_recorder_that_fails_ends_nothing_in_a_traceback(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """The disk may be full: who waits for messages is not kept waiting."""
    bench.memory.record = None
    with pytest.raises(TypeError):
        bench.say()
    bench.memory.record = lambda kind, **_: None if kind == "message" else 1 / 0
    bench.say(text="It is down again.")
    assert bench.sender.settled(SOON) and "Traceback" not in capfd.readouterr().err


def test_no_address_is_in_any_line(bench: Bench) -> None:
    """Whatever a library quotes; and the addresses of webhooks are as secret."""
    words = sorted(contacts.private_words(CONTACTS))
    bench.fakes["slack"].does = [fails(f"550 <{'>, <'.join(words)}> are unknown")]
    bench.say()
    bench.say("initial", "customers")
    bench.done()
    text = json.dumps(bench.memory.facts)
    assert [word for word in words if word in text] == [] and "[redacted: known secret]" in text


def test_whom_the_plan_does_not_tell_is_nobody(bench: Bench) -> None:
    """A group of the contacts that the plan does not name is told nothing either."""
    for nobody in ("cook", "conference bridge"):
        with pytest.raises(Refused, match=f'nobody is called "{nobody}"') as caught:
            bench.say(whom=nobody)
        assert "incident commander" in caught.value.hint


def test_a_channel_of_the_plan_that_is_not_there_is_told_before_anything_is_sent() -> None:
    """It is one error, with what there is."""
    with pytest.raises(Refused, match="the plan tells people by bridge, e-mail, status page") as caught:
        Sender(PLANNED, CONTACTS, {"slack": Fake("slack"), "teams": Fake("teams")}, recorder=Memory())
    assert caught.value.hint == "of channels there are here: slack, teams"


@pytest.mark.parametrize("ratio", [0.0, 0.5, -1.0, float("nan"), float("inf")])
def test_a_pace_slower_than_real_time_is_none(ratio: float) -> None:
    """Nor is one that is no number."""
    with pytest.raises(Refused, match="is none"):
        Pace(ratio)
