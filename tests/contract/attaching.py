"""A stack that another process of the tests has started."""

from __future__ import annotations

from pathlib import Path

from harness.stacks import Stack, kinds
from harness.system.recorder import Memory


def attached(folder: Path) -> Stack:
    return kinds.left_in(folder).maker.attach(folder, recorder=Memory())
