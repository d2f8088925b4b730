"""The supervisor: `python supervisor.py PIDFILE COMMAND...` starts a command, and starts it again when it has ended."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

PAUSE = 1.0  # seconds before it is started again

if __name__ == "__main__":
    pid_file, *command = sys.argv[1:]
    while True:
        child = subprocess.Popen(command)
        Path(pid_file).write_text(str(child.pid))
        print(f"started: {child.pid}", flush=True)
        print(f"ended: {child.wait()}", flush=True)
        time.sleep(PAUSE)
