"""A process of several threads has ended when the last of them has: until then it holds its files and doors open."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from harness.system import wait
from harness.system.command import Process

SOON = timedelta(seconds=10)

# The first thread alone ends, as the kernel sees it while it kills a process; the second goes on.
FIRST_ENDS = """
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print("begun", flush=True)
ctypes.CDLL(None).syscall(93 if platform.machine() == "aarch64" else 60, 0)
"""


def test_it_runs_as_long_as_one_of_its_threads_does() -> None:
    """Its first thread is a zombie long before that."""
    with subprocess.Popen([sys.executable, "-c", FIRST_ENDS], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout and started.stdout.readline() == "begun\n"
        process = Process.of(started.pid)
        stat = Path(f"/proc/{started.pid}/stat")
        assert wait.poll(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", within=SOON)
        assert process.running()
        assert process.send(signal.SIGKILL)
        assert wait.poll(lambda: not process.running(), within=SOON)
        started.wait()
