"""Heals what is still hurt, where a stack stands: `python -m harness.safety.healer FOLDER`.

FOLDER is that of a killed run, or that of a stack that stands. It attaches to the stack and heals the newest fault
first, and prints a line of JSON for each as soon as it is known: the name of the file, and what became of it. What it
waits for goes to standard error. It changes no file but the stack's own, and may be killed at any moment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from harness.errors import DrillError, Exit
from harness.evidence.run_folder import CONTROL, STACK_FOLDER
from harness.safety import undo
from harness.safety.healing import Healing, heal
from harness.safety.undo import Pending
from harness.stacks import Stack, kinds
from harness.stacks.brought_up import BroughtUp
from harness.system import clock
from harness.system.recorder import Memory

FILE, ERROR = "file", "error"


def main(folder: Path) -> int:
    """Returns 0 where it was asked and looked, whatever came of it."""
    of_run = (folder / CONTROL).is_dir()
    place = (kinds.stands_on(folder) or folder) if of_run else folder
    kind = kinds.of_run(folder) if of_run else BroughtUp(place).kind
    pending = undo.pending(folder) if of_run else undo.left_on(folder)
    try:
        stack = kind.maker.attach(place / STACK_FOLDER, recorder=Memory())
    except DrillError as error:
        print(json.dumps({ERROR: error.message}))
        return int(error.exit)
    for each in reversed(pending):
        print(json.dumps({FILE: each.path.name, **_healed(stack, each).facts()}), flush=True)
    return int(Exit.MET)


def _healed(stack: Stack, pending: Pending) -> Healing:
    begun = clock.mono()
    try:
        fault = pending.known()
    except DrillError as error:
        return Healing(False, "not healed", error.message, begun, clock.mono())
    _say(f"healing {fault.name} ...")
    return heal(stack, fault, pending.undo, say=lambda seen: _say(f"  not yet: {seen}"))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
