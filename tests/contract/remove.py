"""Remove what a stack has left, as another process does: `python -m tests.contract.remove LABEL FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.stacks.kinds import remove_left

if __name__ == "__main__":
    remove_left(sys.argv[1], Path(sys.argv[2]))
