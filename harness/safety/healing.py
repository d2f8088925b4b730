"""The healing of one fault, whoever does it: the end of a scenario, a stop, the guardian, `drdrill heal`.

Ask who must stay fenced, heal, and look until nothing of the fault is left. Whoever asked for it records it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

from harness.errors import quietly
from harness.faults import Fault, TakesLong, Undo
from harness.safety import fencing
from harness.stacks import Stack
from harness.stacks.capabilities.sabotage import Unfenced
from harness.system import clock, wait
from harness.system.clock import CALL, Moment
from harness.system.recorder import Recorder

FENCED_LIMIT = timedelta(seconds=45)  # a leader that has lost its store gives up by itself, well within that
LOOK_LIMIT = timedelta(seconds=60)  # until what was started serves, a database server that has to catch up among it
DATA_LIMIT = timedelta(seconds=10)  # what only a recovery brings back is there by then, or does not come
OFTEN = timedelta(milliseconds=250)
AGAIN = timedelta(seconds=10)  # after which whoever waits is told once more for what, and for how long
NOTHING = "nothing of it is left"
FROZEN = "frozen"  # in the undo of a sabotaged fault: the database server whose manager was frozen
How = Literal["healed", "not healed", "left fenced", "removal"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Healing:
    """What became of one fault. `removal`: the stack that it hurt was removed, which is the last resort."""

    ok: bool
    how: How
    seen: str
    earliest: int  # in nanoseconds of the monotonic clock: not before that was it healed,
    latest: int  # and not after that

    def facts(self) -> dict[str, Any]:
        """As JSON values, and as a journal has them."""
        return asdict(self)


def record(recorder: Recorder, healing: Healing, *, injection: int, fault: str, by: str, scenario: str = "") -> None:
    """The line of the journal; `by`: who healed. `scenario`: whose fault it was, where that is not the last one."""
    recorder.record(
        "fault.healed",
        injection=injection,
        fault=fault,
        ok=healing.ok,
        by=by,
        how=healing.how,
        seen=healing.seen,
        earliest=healing.earliest,
        latest=healing.latest,
        **({"scenario": scenario} if scenario else {}),
    )


def by_removal(before: str, *, begun: int) -> Healing:
    """The last resort, once a stack that is the run's own was removed; `before`: why it was not healed otherwise."""
    seen = f"{before}; as the last resort the stack that it hurt was removed"
    return Healing(True, "removal", seen, begun, clock.mono())


def heal(stack: Stack, fault: Fault, undo: Undo, *, say: Say = lambda _: None) -> Healing:
    """Heal one fault on a stack that can be asked; `say` is told what it waits for. Harmless when repeated.

    Raises nothing: a fault that cannot be healed must not keep others from being healed.
    """
    begun = clock.mono()
    quietly(lambda: _thaw(stack, undo))  # first: who led must give up before anybody is let back
    stays = _until_nothing(
        lambda: fencing.must_stay(stack, fault, undo),
        FENCED_LIMIT,
        say,
        lasts=lambda: fencing.lasts(stack, fault, undo),
    )
    if not stays:
        begun = clock.mono()
        stays = quietly(lambda: fencing.rejoin(stack, fault, undo, say=say)) or ""
    if stays:
        words = [stays]
        quietly(lambda: words.append(fencing.what_to_do(stack, fault, undo)))
        return Healing(False, "left fenced", f"left fenced: {'; '.join(filter(None, words))}", begun, clock.mono())
    said: list[Moment | None] = []
    wrong = quietly(lambda: said.append(fault.heal(stack, undo)))
    wrong = wrong or quietly(lambda: _start_stopped(stack, fault, undo))
    moment: Moment = next(filter(None, said), None) or Moment(begun, clock.mono(), CALL)
    limit = DATA_LIMIT if fault.harms_data else LOOK_LIMIT
    if isinstance(fault, TakesLong):
        limit = fault.back_within

    def look() -> str:
        return fault.still_hurt(stack, undo) or fencing.several_write(stack, fault, undo)

    left = wrong or _until_nothing(look, limit, say)
    if left:
        return Healing(False, "not healed", left, moment.earliest, moment.latest)
    return Healing(True, "healed", NOTHING, moment.earliest, moment.latest)


def _thaw(stack: Stack, undo: Undo) -> None:
    """Let the manager that sabotage has frozen go on. Harmless where none is."""
    frozen = stack.components().get(undo.get(FROZEN, ""))
    if isinstance(frozen, Unfenced):
        frozen.thaw_manager()


def _start_stopped(stack: Stack, fault: Fault, undo: Undo) -> None:
    """A server that a person has stopped, so that it could be let back: only now, for without the store, which it may
    not have reached before, its manager ends at once."""
    for member in fencing.let_back(stack, fault, undo):
        if not member.running():
            member.start()


def _until_nothing(
    look: Callable[[], str], within: timedelta, say: Say, *, lasts: Callable[[], bool] = lambda: False
) -> str:
    """What is still seen when the time is over, or why nobody could look; empty as soon as nothing is.

    Nobody waits any more once it is known that what is seen `lasts`.
    """
    last, begin, told = "", clock.mono(), clock.mono()
    forever = False

    def seen() -> str:
        nonlocal last, told, forever
        found: list[str] = []
        wrong = quietly(lambda: found.append(look()))
        now = f"nobody can look: {wrong}" if wrong else found[0]
        known: list[bool] = []
        quietly(lambda: known.append(bool(now) and lasts()))
        forever = any(known)
        if now and not forever and (now != last or clock.since(told) >= AGAIN):
            told = clock.mono()
            say(f"{now}; waited {clock.since(begin).total_seconds():.0f} s of at most {within.total_seconds():g} s")
        last = now
        return now

    return wait.poll(seen, within=within, every=OFTEN, enough=lambda now: not now or forever)
