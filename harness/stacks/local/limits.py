"""The limit on the size of files of a process that runs: how a volume is made to look full, where no volume is ours.

Only the soft limit is changed, so that undoing it needs no privilege.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.stacks.local.database_user import database_user
from harness.system.environment import handed_on

CODE = """
import resource, sys
size, *pids = sys.argv[1:]
for pid in map(int, pids):
    try:
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (int(size) if size else hard, hard))
    except (ProcessLookupError, PermissionError):
        pass
"""
LOGGER = b"logger"
GONE = -2


def file_size(pid: int) -> tuple[int, int]:
    """Soft and hard limit, in bytes (`resource.RLIM_INFINITY`); `GONE` where the process is."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("Max file size"):
            soft, hard = line.split()[3:5]
            return _bytes(soft), _bytes(hard)
    return GONE, GONE


def as_wanted(pid: int, size: int | None) -> bool:
    """Whether the soft limit is what `limit_files` makes it."""
    soft, hard = file_size(pid)
    return soft == (hard if size is None else size) or hard == GONE


def limit_files(pids: Sequence[int], size: int | None) -> None:
    """Set the soft limit; None: as far as the hard one allows. Processes that are gone are left out.

    Root without the capability may not change those of the database's user, but that user may.
    """
    refused = []
    for pid in pids:
        try:
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))
        except ProcessLookupError:
            continue
        except PermissionError:
            refused.append(str(pid))
    if refused:
        as_user = [*database_user("loopback").words, sys.executable, "-I", "-S", "-c", CODE]
        words = [*as_user, "" if size is None else str(size), *refused]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=handed_on())


def only_logs(pid: int) -> bool:
    """Whether it is PostgreSQL's logger: what it writes lies on no data volume, and says what went wrong."""
    try:
        return LOGGER in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].split()
    except OSError:
        return False


def _bytes(word: str) -> int:
    return resource.RLIM_INFINITY if word == "unlimited" else int(word)
