"""`python -m tests.crash.healer FOLDER`: heals a run, and is killed meanwhile as the killer is told to."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from harness.cli.with_reports import heal_run
from tests.crash.killer import CRASH, Killer

if __name__ == "__main__":
    Killer(json.loads(os.environ[CRASH])).prepare()
    heal_run(Path(sys.argv[1]), by="healer")
