"""Taking a stack that stands for one run: held by nobody else, healed of earlier runs, and steady.

The lock is on the stack's folder. The run holds it for its life, and hands it on into the sandbox as it does its own;
whoever heals the run holds it, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import timedelta

from harness.errors import DrillError, Refused
from harness.evidence.run_folder import UNHEALED, option
from harness.safety import left_hurt, undo
from harness.safety.running import locked
from harness.stacks import Condition, brought_up
from harness.stacks.attached import place
from harness.stacks.brought_up import BroughtUp
from harness.stacks.kinds import Kind
from harness.system import wait

STEADY_WITHIN = timedelta(seconds=30)


class Standing:
    """A stack that stands, and the lock on it once it was taken: a file descriptor that heirs inherit."""

    def __init__(self, stack: BroughtUp, kind: Kind | None = None) -> None:
        """`kind`: of a platform that a stack file describes, by the file as it is now."""
        self.stack = stack
        self._kind = kind
        self.lock: int | None = None

    @property
    def heirloom(self) -> list[int]:
        """What a process that goes on with the run has to be given."""
        return [] if self.lock is None else [self.lock]

    def take(self) -> None:
        """Errors: `Refused` where it is dead, held, hurt, or not steady within half a minute; then it is not held."""
        if self._kind is not None:
            place.make(self.stack.folder)
        else:
            self.stack.must_stand()
        self.lock = os.open(self.stack.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.set_inheritable(self.lock, True)
            self._must_be_free(self.lock)
            _must_be_healed(self.stack)
            if self._kind is not None:
                place.keep(self._kind, self.stack.folder)
            _must_be_steady(self.stack)
        except BaseException:
            self.let_go()
            raise

    def let_go(self) -> None:
        """As far as this process is concerned; harmless where it holds nothing."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def _must_be_free(self, lock: int) -> None:
        if not wait.poll(lambda: locked(lock), within=left_hurt.MOMENT):
            raise Refused(
                f"{self.stack.name} is busy: a run drills it, or is just healed",
                hint="wait until it is over (`drdrill watch` shows a run), or bring up another stack",
            )


def _must_be_healed(stack: BroughtUp) -> None:
    if left := stack.unhealed():
        anew = f"; or `drdrill stack down{option(stack.folder.parent)}`, and bring up a new one"
        raise Refused(
            f"{stack.name} is hurt: a run has left it so",
            hint=f"`{undo.command(stack.folder, '')}` heals it, and {stack.folder / UNHEALED / left[0]} says what was"
            f" seen{'' if stack.attached else anew}",
        )


def _must_be_steady(stack: BroughtUp) -> None:
    """Ask again and again for a while, and say what does not hold yet: it may just be coming back."""
    said = ""

    def ask() -> Sequence[Condition]:
        nonlocal said
        seen = stack.conditions()
        if (wrong := brought_up.wrong(seen)) and wrong != said:
            said = wrong
            _say(f"  not yet: {wrong}")
        return seen

    _say(f"asking whether {stack.name} is steady ...")
    hint = f"`drdrill stack status{option(stack.folder.parent)}` asks it again; or bring up another one"
    if stack.attached:
        hint = "nothing was hurt: settle that with its owner, then repeat the command"
    try:
        wrong = brought_up.wrong(wait.poll(ask, within=STEADY_WITHIN, enough=lambda seen: not brought_up.wrong(seen)))
    except DrillError as error:
        raise Refused(f"{stack.name} cannot be asked whether it is steady: {error.message}", hint=hint) from None
    if wrong:
        raise Refused(f"{stack.name} is hurt: it is not steady: {wrong}", hint=hint)


def _say(line: str) -> None:
    """Not on standard output, where JSON may be."""
    print(line, file=sys.stderr, flush=True)
