"""SIGKILL to the harness, the guardian, and both, on a stack that is not the run's own: healed, and nothing removed.

All cases come one after the other on one stack. Where one leaves it otherwise than it must, it fails, and the next one
has a new stack.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from harness.errors import Exit
from harness.system import clock, wait
from harness.system.recorder import Memory
from tests.contract.faults import CASES, MAY_LACK, NO_NETWORK, STAYS
from tests.crash import writers
from tests.crash.conftest import changing
from tests.crash.stack_up import StackUp, stack_up
from tests.crash.victim import Victim
from tests.crash.writers import Answer

KILLED = 128 + 9
EVERYWHERE = ("kill_component", "cut_zone", "damage_stored_object")  # a process, the network, data
OTHERS = [case for case in CASES if case != "noop" and case not in EVERYWHERE]
INTENT, EFFECTIVE, HEALED = (f"line/fault.{word}/1" for word in ("intent", "effective", "healed"))
MOMENTS = (f"{INTENT}/after", f"{EFFECTIVE}/after", f"{HEALED}/before", f"{HEALED}/after")
ALONE = (f"{INTENT}/after", f"{EFFECTIVE}/after", f"{HEALED}/before")
NOTHING = ("line/run.begin/1/before", "line/run.begin/1/torn")
STACKS = 12  # are made at most, for cases that have spoilt one
DIES = ("kill_component", "kill_load_balancer", "kill_zone", "poison_release")  # parts of the stack, and start again
ANOTHER = timedelta(seconds=90)  # until another server leads
OF_WHO_LEADS = ["two writers", "cut_zone", "kill_zone", "kill_component host", "pause_component database"]


@dataclass(frozen=True)
class Case:
    """Who is killed, where, and what was hurt then."""

    fault: str
    point: str
    who: str  # harness, guardian, both

    def __str__(self) -> str:
        return f"{self.who}, {self.fault}, {self.point}"


class Stacks:
    """One stack for all cases; another one after it was spoilt."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._up: StackUp | None = None
        self._made = 0

    def take(self) -> StackUp:
        if self._up is None:
            assert self._made < STACKS, f"{STACKS} stacks were spoilt"
            self._made += 1
            self._up = self._open.enter_context(stack_up())
        return self._up

    def spoilt(self) -> None:
        """Take it down; the next case has another one."""
        self._up = None
        self._open.close()


@pytest.fixture(scope="session")
def stacks() -> Iterator[Stacks]:
    made = Stacks()
    yield made
    made.spoilt()


def test_who_led(leads: str, stacks: Stacks) -> None:
    """Both are killed while the leader is cut off, dead or frozen, and healed once another one leads: it comes back as
    a copy, or stays fenced until a person has settled it, with the commands that are printed."""
    stack = stacks.take()
    try:
        led(stack, leads)
    except BaseException:
        stacks.spoilt()
        raise


def test_on_a_stack_that_stands(request: pytest.FixtureRequest, stacks: Stacks, subtests: pytest.Subtests) -> None:
    """Healed by another process, which looked; all of the stack is there; one writer; the next drill is MET."""
    turn, points = request.config.option.rotate, request.config.option.point
    chance = random.Random(turn)  # not by counting: the turns of this part may be any number of turns apart
    wanted = EVERYWHERE if turn is None else chance.sample(EVERYWHERE, 1)
    if points and all("," in point for point in points):  # whole names: no run for lines that nobody asks for
        wanted = [fault for fault in wanted if any(f", {fault}, " in point for point in points)]
    lines = [case for fault in wanted for case in at_every_line(stacks, fault)]
    cases = lines + moments() if turn is None else last(chance.sample(lines, 2) + chance.sample(moments(), 2))
    if points:
        cases = [case for case in cases if any(point in str(case) for point in points)]
    cases = cases[request.config.option.share]
    for number, case in enumerate(cases):
        with subtests.test(msg=str(case)):
            begin = clock.mono()
            try:
                keep(stacks, case)
            except BaseException:
                stacks.spoilt()
                raise
            finally:
                print(f"{number + 1} of {len(cases)}, {clock.since(begin).total_seconds():.1f} s: {case}", flush=True)


def at_every_line(stacks: Stacks, fault: str) -> list[Case]:
    """Both are killed after each line that changes state, of a run that nobody kills; and one alone at some."""
    stack = stacks.take()
    victim = Victim.start(stack.folder, instead=fault, on=stack.place)
    assert victim.wait_ended() == 0, victim.out[-3000:]
    victim.wait_healed()
    lines = changing([line.kind for line in victim.lines()])
    assert {"run.begin", "fault.intent", "fault.healed", "stack.left"} <= {line.split("/")[1] for line in lines}
    print(f"{len(lines)} lines of {fault} that change state: {', '.join(lines)}", flush=True)
    both = [Case(fault, f"{line}/after", "both") for line in lines]
    return both + [Case(fault, point, who) for who in ("harness", "guardian") for point in ALONE]


def moments() -> list[Case]:
    """Of the other faults."""
    found = [Case(fault, point, "both") for fault in OTHERS for point in MOMENTS]
    found += [Case(fault, point, who) for fault in OTHERS for who in ("harness", "guardian") for point in ALONE]
    return last(found)


def last(cases: list[Case]) -> list[Case]:
    """Those that spoil the stack at the end."""
    return sorted(cases, key=lambda case: case.fault in STAYS)


def keep(stacks: Stacks, case: Case) -> None:
    """One case, and the next drill after it. Errors: `AssertionError`, with what is not as it must be."""
    stack = stacks.take()
    before, begin = stack.parts(), clock.mono()
    victim, said = kill(stack, case)
    if case.point.startswith(NOTHING):
        assert not victim.pack.exists(), "nothing had begun"
        must_be_sound(stack, victim, before, since=begin)
        return
    hurt = [line.data for line in victim.lines() if line.kind == "fault.effective" and line.data["ok"]]
    if not victim.mark.exists():
        must_have_lacked(victim, case)
    elif case.fault in STAYS and hurt:
        must_be_left_hurt(stack, victim, case, said, since=begin)
        stacks.spoilt()
        return
    else:
        ended_itself = case.who == "guardian" or case.point == "line/run.end/1/after"
        victim.must_be_sealed("completed" if ended_itself else "killed")
        must_be_healed(victim, case)
    must_be_sound(stack, victim, before, since=begin)


def kill(stack: StackUp, case: Case) -> tuple[Victim, str]:
    """Play it until somebody has healed; what was said by who healed in the end."""
    deed = "kill" if case.who == "harness" else "hold"
    victim = Victim.start(stack.folder, [(case.point, deed)], instead=case.fault, on=stack.place)
    if case.who == "harness":
        code = victim.wait_ended()
        assert code == (KILLED if victim.mark.exists() else code), victim.out[-3000:]
        victim.wait_healed()
        return victim, ""
    wait.until(
        lambda: victim.mark.exists() or victim.process.poll() is not None,
        what=f"{case.point} is reached, or the run has ended",
        within=timedelta(minutes=3),
        recorder=Memory(),
        last_seen=lambda: victim.out[-1000:],
    )
    if not victim.mark.exists():
        victim.wait_healed()
        return victim, ""
    if victim.guardian() is not None:  # at the end of a run it goes by itself
        victim.kill_guardian()
    if case.who == "guardian":
        victim.go_on()
        assert victim.wait_ended() != 0, "nobody watched over what was hurt"
        return victim, victim.out
    return victim, kill_and_heal(stack, victim)


def kill_and_heal(stack: StackUp, victim: Victim, *, code: Exit | None = None) -> str:
    """The guardian is gone already."""
    victim.kill()
    done = stack.folder.drdrill("heal", "--evidence", str(stack.folder.evidence))
    said = done.stdout + done.stderr
    assert code is None or done.returncode == code, said
    return f"exit {done.returncode}\n{said}"


def must_be_healed(victim: Victim, case: Case) -> None:
    """By whom it had to be, who looked."""
    lines = victim.lines()
    injected = [line.data for line in lines if line.kind == "fault.intent"]
    healed = [line.data for line in lines if line.kind == "fault.healed"]
    for fault in injected:
        last = [one for one in healed if one["injection"] == fault["injection"]][-1]
        assert (last["ok"], last["how"], last["seen"]) == (True, "healed", "nothing of it is left"), last
    by = {"harness": "guardian", "guardian": "scenario", "both": "drdrill heal"}[case.who]
    reached = [line.data for line in lines if line.kind == "fault.healed" and line.data["by"] == "scenario"]
    assert not injected or healed[-1]["by"] in ({by} if case.who == "guardian" or not reached else {by, "scenario"})
    began = [line.data for line in lines if line.kind == "stack.begin"]
    assert all(line["owned"] is False for line in began) and "stack.end" not in {line.kind for line in lines}


def must_have_lacked(victim: Victim, case: Case) -> None:
    """A fault that this machine cannot have: the run has ended by itself, and nothing in it is MET."""
    fault = case.fault.split(maxsplit=1)[0]
    assert fault in MAY_LACK or fault in NO_NETWORK, f"{case.point} was not reached: {victim.out[-3000:]}"
    victim.must_be_sealed("completed")
    assert set(victim.findings()["verdicts"].values()) == {"UNKNOWN"}


def must_be_sound(stack: StackUp, victim: Victim, before: dict[str, object], *, since: int) -> None:
    """Nothing of the run is left, all of the stack is there, and the next drill on it is MET."""
    victim.must_have_left_nothing()
    assert stack.held.unhealed() == []
    stack.must_run(set(before))
    after = stack.parts()
    other = {name for name in before if before[name] != after[name]}
    assert other <= may_die(victim), f"started anew, which nobody had killed: {sorted(other - may_die(victim))}"
    following = Victim.start(stack.folder, on=stack.place)
    assert following.wait_ended() == 0, following.out[-3000:]
    following.wait_healed()
    assert following.findings()["verdict"] == "MET", following.findings()
    (left,) = [line.data for line in following.lines() if line.kind == "stack.left"]
    assert left["steady"] is True, left
    stack.must_run(set(before))
    stack.must_have_had_one_writer(since=since)


def may_die(victim: Victim) -> set[str]:
    """The components that the fault itself kills, as the run has announced it."""
    if not victim.pack.exists():
        return set()
    announced = [line.data for line in victim.lines() if line.kind == "fault.intent" and line.data["fault"] in DIES]
    return {each["component"] for line in announced for each in line["affects"] if "component" in each}


def must_be_left_hurt(stack: StackUp, victim: Victim, case: Case, said: str, *, since: int) -> None:
    """What only a recovery brings back is said to be hurt, and the stack is refused; nothing of it is removed."""
    victim.must_be_sealed("completed" if case.who == "guardian" else "killed", healed=False)
    last = [line.data for line in victim.lines() if line.kind == "fault.healed"][-1]
    assert (last["ok"], last["how"]) == (False, "not healed") and "recovery" in last["seen"], last
    if case.who == "both":
        assert said.startswith(f"exit {Exit.UNKNOWN:d}\n") and "HINT:" in said, said
    assert stack.held.unhealed() and stack.held.alive()
    again = stack.folder.drdrill("heal", "--on", str(stack.place))
    assert again.returncode == Exit.UNKNOWN and "NOT healed" in again.stdout, again.stdout + again.stderr
    must_be_refused(stack)
    stack.must_have_had_one_writer(since=since)


def must_be_refused(stack: StackUp) -> None:
    refused = Victim.start(stack.folder, on=stack.place)
    assert refused.wait_ended() == Exit.REFUSED and "is hurt" in refused.out, refused.out[-2000:]
    assert not refused.pack.exists() and not refused.unfinished.exists()
    stack.folder.victims.remove(refused)


def led(stack: StackUp, variant: str) -> None:
    twins = variant == "two writers"  # the leader's manager is frozen, so that it does not give up
    before, begin = stack.parts(), clock.mono()
    leader = wait.until(lambda: stack.writes(since=begin), what="somebody leads", within=ANOTHER, recorder=Memory())
    fault = "cut_zone" if twins else variant
    victim = Victim.start(stack.folder, [(f"{EFFECTIVE}/after", "hold")], instead=fault, leads=True, on=stack.place)
    victim.wait_marked(f"{EFFECTIVE}/after")
    if twins:
        stack.freeze_manager(leader)  # before it gives up, for it has just lost its store
    victim.kill_guardian()
    wait.until(
        lambda: stack.writes(but=leader, since=begin), what="another one leads", within=ANOTHER, recorder=Memory()
    )
    if twins:
        wait.until(
            lambda: writers.two_writers(stack.seen(since=begin)),
            what="whoever looks sees two writers where there are two",
            within=ANOTHER,
            recorder=Memory(),
        )
    if twins or variant.startswith("pause_component"):
        must_stay_fenced(stack, victim, leader)
    else:
        assert kill_and_heal(stack, victim, code=Exit.MET)
        victim.must_be_sealed("killed")
        must_be_healed(victim, Case(fault, f"{EFFECTIVE}/after", "both"))
    if twins:
        begin = clock.mono()  # there were two, and from now on there is one
    stack.must_run(set(before))
    assert not (reason := stack.wrong()), reason
    assert stack.writes(since=begin) != leader
    following = Victim.start(stack.folder, on=stack.place)
    assert following.wait_ended() == 0, following.out[-3000:]
    assert following.findings()["verdict"] == "MET"
    stack.must_have_had_one_writer(since=begin)


def must_stay_fenced(stack: StackUp, victim: Victim, leader: str) -> None:
    """And a person makes it well."""
    said = kill_and_heal(stack, victim, code=Exit.UNKNOWN)
    command = f"drdrill heal --on {stack.place}"
    assert "left fenced" in said and f"stop {leader}" in said and command in said, said
    victim.must_be_sealed("killed", healed=False)
    last = [line.data for line in victim.lines() if line.kind == "fault.healed"][-1]
    assert (last["ok"], last["how"]) == (False, "left fenced") and leader in last["seen"], last
    must_be_refused(stack)
    stack.by_hand("stop", leader)
    done = stack.folder.drdrill("heal", "--on", str(stack.place))
    assert done.returncode == Exit.MET and re.search(r"^\w+: healed: ", done.stdout, re.M), done.stdout + done.stderr
    assert stack.held.unhealed() == []


def test_two_writers_are_told_from_a_switch() -> None:
    """Only answers that overlap for sure count; who is started anew in between has not written in between."""

    def said(server: str, *moments: int, writable: bool = True, life: str = "1") -> list[Answer]:
        return [Answer(server, moment, moment + 2, writable, life) for moment in moments]

    switched = [*said("a", 0, 10, 20), *said("a", 30, writable=False), *said("b", 40, 50)]
    assert not writers.two_writers(switched)
    assert writers.two_writers([*said("a", 0, 10, 20, 30), *said("b", 15)])
    assert not writers.two_writers([*said("a", 0, 10), *said("a", 50, 60, life="2"), *said("b", 20, 40)])
    assert not writers.two_writers([*said("a", 0, 10), *said("b", 11, 21)])
    assert not writers.two_writers([Answer("a", 0, 9, None, ""), *said("b", 0, 5)])
