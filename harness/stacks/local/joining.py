"""The way to where a local stack stands that somebody else has started: into its sandbox, from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import Refused
from harness.stacks.local import sandbox
from harness.stacks.parts import left
from harness.system.command import LABEL, Process


def join(saved: dict[str, Any], words: Sequence[str]) -> list[str]:
    """The command line by which `words` run there; `saved` is what the stack wrote down.

    A process number may be used again: who holds the sandbox carries the stack's label, and on loopback, where there is
    no sandbox, who holds the addresses is known by its start.
    Errors: `Refused` where it is gone.
    """
    if saved["level"] == "loopback":
        if not Process(*saved["network"]["holder"]).running():
            raise left.dead("nobody holds its addresses any more")
        return ["env", f"{sandbox.LEVEL}=loopback", *words]
    holder = int(saved["sandbox"])
    mark = f"{LABEL}={saved['label']}".encode()
    try:
        found = mark in Path(f"/proc/{holder}/environ").read_bytes().split(b"\0")
        argv = sandbox.join_argv(holder, words) if found else []
    except (OSError, Refused):
        argv = []
    if not argv:
        raise left.dead("its sandbox is gone")
    return argv
