"""The System V segment that a killed PostgreSQL leaves in the kernel: without namespaces nothing else ends it.

PostgreSQL writes its key and id into `postmaster.pid`; a segment is removed only where both agree and no process is
attached to it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.system.environment import handed_on

PID_FILE = "postmaster.pid"
LISTED = Path("/proc/sysvipc/shm")


def release_shared_memory(folder: Path) -> None:
    """Remove the segments of the data directories in `folder` whose servers were killed. Harmless when repeated."""
    recorded = {found for path in folder.rglob(PID_FILE) if (found := _recorded(path))}
    if not recorded:
        return
    for line in LISTED.read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        key, number, attached, owner = int(words[0]) & 0xFFFFFFFF, int(words[1]), int(words[6]), int(words[7])
        if (key, number) in recorded and not attached:
            # the owner may remove it; root in a container may not, for that takes a capability
            become = [] if owner == os.geteuid() else ["setpriv", f"--reuid={owner}", "--clear-groups", "--"]
            words = [*become, "ipcrm", "--shmem-id", str(number)]
            subprocess.run(words, check=False, capture_output=True, env=handed_on())


def _recorded(path: Path) -> tuple[int, int] | None:
    """Key and id: the seventh line. None where the server was killed before it wrote it."""
    try:
        key, number = path.read_text(errors="replace").splitlines()[6].split()
        return int(key) & 0xFFFFFFFF, int(number)
    except (OSError, IndexError, ValueError):
        return None
