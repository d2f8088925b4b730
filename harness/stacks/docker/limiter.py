"""Limits the size of files in a container: by the image's own Python, and imports nothing of this project.

    python3 -c SOURCE SIZE

For every process that shares the container's files, whoever is their parent: the soft limit is SIZE bytes, or with
`unlimited` whatever the hard one allows. Again until nobody is left who has another: one may start meanwhile.
PostgreSQL's logger is left alone: what it writes lies on no data volume, and says what went wrong. It prints between
which readings of the monotonic clock that was done, or nothing where nobody was left to be limited.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

FILES, LONGEST = resource.RLIMIT_FSIZE, 10.0  # seconds


def left(size: int) -> list[int]:
    """The processes of this container whose limit is another, but for ourselves."""
    mine, found = Path("/proc/self/ns/mnt").readlink(), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "ns" / "mnt").readlink() != mine or b"logger" in (entry / "cmdline").read_bytes():
                continue
            soft, hard = resource.prlimit(int(entry.name), FILES)
        except OSError:  # gone, or not ours
            continue
        if soft != (hard if size == resource.RLIM_INFINITY else size):
            found.append(int(entry.name))
    return found


def main(word: str) -> None:
    size = resource.RLIM_INFINITY if word == "unlimited" else int(word)
    earliest = latest = 0
    begin = time.monotonic()
    while (pids := left(size)) and time.monotonic() < begin + LONGEST:
        earliest = earliest or time.monotonic_ns()
        for pid in pids:
            try:
                hard = resource.prlimit(pid, FILES)[1]
                resource.prlimit(pid, FILES, (hard if size == resource.RLIM_INFINITY else size, hard))
            except OSError:
                continue
        latest = time.monotonic_ns()
    if latest:
        print(earliest, latest)


if __name__ == "__main__":
    main(sys.argv[1])
