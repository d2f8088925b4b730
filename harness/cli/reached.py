"""By which channels a run reaches people, said before it begins: what is real is never a surprise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.evidence.run_folder import STACK_FOLDER
from harness.stacks.capabilities.messaging import Reaching
from harness.stacks.kinds import Kind
from harness.stacks.real import real_channels
from harness.system.recorder import Memory


def by_which(kind: Kind) -> list[str]:
    """The kinds of the real channels of its stacks: of one that is made, and not started. Errors: `Refused`."""
    if Reaching not in kind.maker.has:
        return []
    with TemporaryDirectory() as folder:
        where = Path(folder) / STACK_FOLDER
        return list(real_channels(kind.maker.open(where, recorder=Memory(), label="looked-at", scale=1.0, broken={})))


def said(real: Sequence[str], *, attended: bool = False) -> list[str]:
    """A line for each of these channels; none where nobody is reached."""
    lines = [f"{each[:1].upper()}{each[1:]} is real: people will be reached" for each in real]
    people = "whoever the plan has called to the conference bridge is called by you: the numbers are shown here"
    return [*lines, *([people] if attended and "bridge" not in real else [])]
