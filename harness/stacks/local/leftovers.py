"""What a local stack leaves behind, and how it is removed: by the stack itself, or by whoever comes after it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from harness.stacks.local.process import kill_labelled
from harness.stacks.local.shared_memory import release_shared_memory
from harness.stacks.parts.settings import STALLED

ELSEWHERE = "sockets-elsewhere"  # file: names the folder of the sockets where that is not in the stack's own
MADE = ("aside", "etcd", "pids", "tls", "s3", "sockets", "backups", "stack.json", "envoy.json", STALLED, ELSEWHERE)
OF_A_ZONE = ("volume", "patroni.yml")


def remove_local(label: str, folder: Path) -> None:
    """Remove what a killed stack has left, in any process. Harmless where nothing is left.

    Namespaces and bridges need no removal: they go with their last process.
    Errors: `DrillError` when a process will not end.
    """
    kill_labelled(label)
    remove_files(folder)


def remove_files(folder: Path) -> None:
    """Remove what a stack made, but for its logs; also what of it lies elsewhere."""
    release_shared_memory(folder)
    with contextlib.suppress(FileNotFoundError):
        _remove(Path((folder / ELSEWHERE).read_text()))
    for name in MADE:
        _remove(folder / name)
    for zone in (folder / "zones").glob("*"):
        for name in OF_A_ZONE:
            _remove(zone / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        while path.exists():  # a command that was just killed may have removed a file of it first
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
