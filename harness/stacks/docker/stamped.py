"""Does one thing inside a container, and says when: by the image's own Python, and imports nothing of this project.

    python3 -c SOURCE BEFORE ACT AT

Two scripts of the shell. The second waits for the reading AT of the monotonic clock, in nanoseconds, unless that is
past, or so far ahead that it must be of another kernel. The last line that it prints is two readings of that clock,
which is the same for all containers of a kernel: before the second script began, and after it had ended.
"""

from __future__ import annotations

import subprocess
import sys
import time

MOST = 5_000_000_000  # nanoseconds


def main(before: str, act: str, at: str = "0") -> int:
    done = subprocess.run(["sh", "-ec", before], check=False)
    if done.returncode:
        return done.returncode
    ahead = int(at) - time.monotonic_ns()
    if 0 < ahead < MOST:
        time.sleep(ahead / 1e9)
    earliest = time.monotonic_ns()
    done = subprocess.run(["sh", "-ec", act], check=False)
    print(earliest, time.monotonic_ns())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
