"""Whether a stack is steady: by its own conditions, and by one transaction that was stored and read back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from harness.errors import NotReady
from harness.run.trial import Trials
from harness.stacks import Condition, Stack
from harness.system import clock, wait
from harness.system.recorder import Recorder

STEADY_LIMIT = timedelta(seconds=90)  # to be steady again: every zone is cloned anew
FIRST_LIMIT = timedelta(seconds=30)  # to be steady before anything is hurt


def steady(stack: Stack, recorder: Recorder, trials: Trials, *, moment: str, within: timedelta = STEADY_LIMIT) -> bool:
    """Wait until every condition of a steady stack holds, and record what was seen."""
    return not _wrong(stack, recorder, trials, moment=moment, within=within)


def must_be_steady(stack: Stack, recorder: Recorder, trials: Trials, *, within: timedelta = FIRST_LIMIT) -> None:
    """Errors: `NotReady`, naming what does not hold; nothing has been hurt then."""
    if wrong := _wrong(stack, recorder, trials, moment="before", within=within):
        said = "; ".join(f"{each.name}: {each.seen}" for each in wrong)
        raise NotReady(f"the stack is not steady, nothing was hurt: {said}", hint="read the component logs of the pack")


def _wrong(stack: Stack, recorder: Recorder, trials: Trials, *, moment: str, within: timedelta) -> Sequence[Condition]:
    """The conditions that do not hold in the end."""
    begin = clock.mono()

    def ask() -> list[Condition]:
        """A stack that says itself that it is not well is sent nothing."""
        said = stack.steady() or [Condition("conditions", ok=False, seen="the stack names none")]
        return said if _broken(said) else [*said, *trials.conditions(stack)]

    conditions = wait.poll(ask, within=within, every=wait.OFTEN * 5, enough=lambda found: not _broken(found))
    wrong = _broken(conditions)
    listed = [{"name": c.name, "ok": c.ok, "seen": c.seen} for c in conditions]
    recorder.record(
        "steady", moment=moment, ok=not wrong, conditions=listed, seconds=clock.since(begin).total_seconds()
    )
    return wrong


def _broken(conditions: Sequence[Condition]) -> list[Condition]:
    return [condition for condition in conditions if not condition.ok]
