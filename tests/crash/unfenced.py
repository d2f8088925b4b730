"""`python -m tests.crash.unfenced KIND STACK SERVER`: freezes the manager of a database server; nothing tells of it."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.stacks import kinds
from harness.stacks.capabilities import need
from harness.stacks.capabilities.sabotage import Unfenced
from harness.system.recorder import Memory

if __name__ == "__main__":
    stack = kinds.named(sys.argv[1]).maker.attach(Path(sys.argv[2]), recorder=Memory())
    need(stack.components()[sys.argv[3]], Unfenced).freeze_manager()
