"""Which procedure a sentence carries out: for a dry run, which prints its steps and touches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from drills.books import BOOKS
from drills.questions import BEFORE_MISTAKE, RELEASE_BEFORE, TO_THE_END
from harness.procedures import Procedure
from harness.procedures.books import SoundBooks
from harness.procedures.restart import Restart
from harness.procedures.restore_database import RestoreDatabase
from harness.procedures.roll_back import RollBack
from harness.stacks import Stack
from harness.system.recorder import Memory

NOTHING = cast(Stack, None)  # a step looks at the stack only when it runs


def procedures(sentences: Iterable[str]) -> list[Procedure]:
    """Those that a scenario's sentences carry out, in order."""
    found = []
    for sentence in sentences:
        if sentence.endswith(BEFORE_MISTAKE):
            found.append(_restore(mistaken=True))
        elif sentence.endswith(TO_THE_END):
            found.append(_restore(mistaken=False))
        elif sentence.endswith("what has failed is started again"):
            found.append(Restart(NOTHING, Memory(), named=list, works=str).procedure())
        elif sentence.endswith(RELEASE_BEFORE):
            found.append(RollBack(NOTHING, Memory(), serves=bool).procedure())
    return found


def _restore(*, mistaken: bool) -> Procedure:
    sound = SoundBooks(last_id=0, lsn="0/0", timeline=1, figures={})
    return RestoreDatabase(NOTHING, BOOKS, sound, Memory(), mistaken=mistaken).procedure()
