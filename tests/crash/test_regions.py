"""SIGKILL to the harness, the guardian, and both, while a region is lost, on a stack of two regions that stands.

Whoever heals brings the lost region back: as it was, where no other has led, and as a follower, where the second region
was promoted. Every database server of both is asked from inside all the time: at no moment do two take writes.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from harness.procedures import NO_STACK
from harness.procedures.regional_failback import RegionalFailback
from harness.procedures.regional_failover import RegionalFailover
from harness.system import clock, wait
from harness.system.recorder import Memory
from tests.crash.stack_up import SERVERS, StackUp, stack_up
from tests.crash.test_on_a_stack_that_stands import kill_and_heal
from tests.crash.victim import Victim

DRILL = "full-regional-failover"
SCENARIOS = (
    "Failback",
    "The region comes back by itself, power after the promotion",
    "Blackout of the primary region",
)
WHO = ("both", "harness", "guardian")
STEPS = [
    step.name
    for recovery in (RegionalFailover, RegionalFailback)
    for step in recovery(NO_STACK, "", lambda name: {}, Memory()).procedure().steps
]
PROMOTED = STEPS.index("promote-the-second-region") + 1  # from this step on the second region may lead
POINTS = (
    "line/fault.intent/1/after",
    "line/fault.effective/1/after",
    *(f"line/step.{end}/{number}/after" for number in range(1, len(STEPS) + 1) for end in ("begin", "end")),
)
ANSWER = timedelta(seconds=120)  # until all servers are back, each of them as a clone
RUN = timedelta(minutes=6)


@dataclass(frozen=True)
class Case:
    """Who is killed, where, in which scenario."""

    who: str
    point: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.who}, {self.point}, {self.scenario}"

    @property
    def may_have_promoted(self) -> bool:
        """Whoever kills the guardian alone lets the run go on to its end."""
        kind, number = self.point.split("/")[1:3]
        return self.who == "guardian" or (kind.startswith("step.") and int(number) >= PROMOTED)


def test_one_region_leads(request: pytest.FixtureRequest, subtests: pytest.Subtests) -> None:
    """Healed by another process, which looked; one writer from the first moment to the last; all servers are back."""
    turn, wanted = request.config.option.rotate, request.config.option.point
    cases = whole() if turn is None else random.Random(turn).sample(every(), 2)
    if wanted:
        cases = [case for case in every() if str(case) in wanted]
    stacks = Stacks()
    with stacks.open:
        for number, case in enumerate(cases[request.config.option.share]):
            with subtests.test(msg=str(case)):
                begin = clock.mono()
                try:
                    if keep(stacks.take(), case):
                        stacks.spoilt()
                except BaseException:
                    stacks.spoilt()
                    raise
                finally:
                    print(f"{number + 1}: {clock.since(begin).total_seconds():.1f} s: {case}", flush=True)


def every() -> list[Case]:
    """Of everybody, at every point, in each scenario: some of it at each turn."""
    return [Case(who, point, scenario) for scenario in SCENARIOS for point in POINTS for who in WHO]


def whole() -> list[Case]:
    """Every point once; who is killed, and in which scenario, by turns."""
    cases = [Case(WHO[at // 2 % 3], point, SCENARIOS[at // 6 % 3]) for at, point in enumerate(POINTS)]
    return sorted(cases, key=lambda case: case.may_have_promoted)


class Stacks:
    """One stack as long as it comes back to what it was; a new one after that."""

    def __init__(self) -> None:
        self.open = ExitStack()
        self._up: StackUp | None = None

    def take(self) -> StackUp:
        if self._up is None:
            self._up = self.open.enter_context(stack_up(regions=2))
        return self._up

    def spoilt(self) -> None:
        self._up = None
        self.open.close()


def keep(stack: StackUp, case: Case) -> bool:
    """Play a case; whether the stack is another one now. Errors: `AssertionError`, with what is not as it must be."""
    begin = clock.mono()
    deed = "kill" if case.who == "harness" else "hold"
    victim = Victim.start(stack.folder, [(case.point, deed)], on=stack.place, drills=(DRILL, case.scenario))
    said = play(stack, victim, case)
    victim.must_be_sealed("completed" if case.who == "guardian" else "killed")
    assert stack.held.unhealed() == [], said
    leads = one_leads(stack)
    stack.must_have_had_one_writer(since=begin)
    if case.may_have_promoted and case.who != "guardian":
        return True
    assert "west" not in leads, f"{leads} leads"
    assert not (reason := stack.wrong()), reason
    return False


def play(stack: StackUp, victim: Victim, case: Case) -> str:
    """Until somebody has healed; what was said by who healed in the end."""
    if case.who == "harness":
        victim.wait_ended()
        assert victim.mark.exists(), victim.out[-3000:]
        victim.wait_healed()
        return ""
    wait.until(
        lambda: victim.mark.exists() or victim.process.poll() is not None,
        what=f"{case.point} is reached", within=RUN, recorder=Memory(), last_seen=lambda: victim.out[-1000:],
    )  # fmt: skip  # arguments in groups
    assert victim.mark.exists(), victim.out[-3000:]
    victim.kill_guardian()
    if case.who == "both":
        return kill_and_heal(stack, victim)
    victim.go_on()
    assert victim.wait_ended() != 0, "nobody watched over what was hurt"
    return victim.out


def one_leads(stack: StackUp) -> str:
    """The one server that takes writes, once each of both regions answers. Errors: `NotInTime`."""

    def answers() -> str:
        begin = clock.mono()
        clock.sleep(timedelta(seconds=3))
        last = {one.server: one.writable for one in stack.seen(since=begin) if one.writable is not None}
        writers = [server for server, writable in last.items() if writable]
        return writers[0] if len(last) == SERVERS[2] and len(writers) == 1 else ""

    return wait.until(answers, what="all servers answer, and one takes writes", within=ANSWER, recorder=Memory())
