"""Does one thing inside a container, and says when: by the image's own Python, and imports nothing of this project.

    python3 -c SOURCE BEFORE ACT

Two scripts of the shell. The last line that it prints is two readings of the monotonic clock, which is the same for
all containers of a kernel: before the second script began, and after it had ended.
"""

from __future__ import annotations

import subprocess
import sys
import time


def main(before: str, act: str) -> int:
    done = subprocess.run(["sh", "-ec", before], check=False)
    if done.returncode:
        return done.returncode
    earliest = time.monotonic_ns()
    done = subprocess.run(["sh", "-ec", act], check=False)
    print(earliest, time.monotonic_ns())
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
