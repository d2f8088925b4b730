"""The guardian as a process of its own: `harness.safety.guardian` starts it, and says what it does."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.cli.with_reports import guard

if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), viewer=int(sys.argv[2]) if len(sys.argv) > 2 else None))
