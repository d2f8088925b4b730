"""The facts of a machine that a figure needs beside it."""

from __future__ import annotations

import os
import platform


def facts() -> str:
    """One line: cores, memory, kernel, Python, and what else the machine is doing."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )
