"""Remove what a stack has left, as another process does: `python -m tests.contract.remove LABEL FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.stacks import kinds

if __name__ == "__main__":
    kinds.left_in(Path(sys.argv[2])).maker.remove_left(sys.argv[1], Path(sys.argv[2]))
