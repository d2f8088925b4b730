"""Whether a stack lets itself be hurt: asked before anything of a fault is written down, and never weakened by a flag.

A stack whose owner says nothing is the run's to hurt.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.errors import Refused
from harness.faults import Fault, Undo, table
from harness.safety.owner import consent, told
from harness.stacks import Stack
from harness.stacks.attached import limits
from harness.stacks.attached.file.described import StackFile
from harness.stacks.attached.gate import Gate
from harness.stacks.attached.limits import Hurt
from harness.system.recorder import Recorder


@runtime_checkable
class Owned(Protocol):
    """A stack that a file describes: its owner says what a drill may do to it."""

    said: StackFile
    gate: Gate


def must_permit(stack: Stack, fault: Fault, undo: Undo) -> None:
    """By names alone: the words of `may`, what is protected, how much at once with what is hurt already.

    Errors: `Refused`; nothing was hurt then.
    """
    if isinstance(stack, Owned):
        hurt = Hurt(fault.name, [table.to_disk(fault), undo])
        limits.must_let(stack.said, hurt, stack.gate.hurt_now(), affects=fault.affects(undo))


def permit(stack: Stack, fault: Fault, undo: Undo, *, folder: Path, recorder: Recorder) -> timedelta:
    """All that has to hold before a fault of a run is injected: that, the window, the conditions, and the consent.

    `folder`: of the run. Returns after which time the guardian heals it. Errors: `Refused`, and it is recorded.
    """
    if not isinstance(stack, Owned):
        return fault.ttl
    said = stack.said
    try:
        must_permit(stack, fault, undo)
        consent.must_hold(folder, said)
        told.must_be_clear(folder, said)
    except Refused as error:
        recorder.record("refused", fault=fault.name, settings=table.to_disk(fault), why=error.message, hint=error.hint)
        raise
    return min(fault.ttl, said.safety.longest_fault or fault.ttl)
