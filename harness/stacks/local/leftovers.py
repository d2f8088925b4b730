"""What a local stack leaves behind, and how it is removed: by the stack itself, or by whoever comes after it."""

from __future__ import annotations

from pathlib import Path

from harness.stacks.local.process import kill_labelled
from harness.stacks.local.shared_memory import release_shared_memory
from harness.stacks.parts import lifecycle


def remove_local(label: str, folder: Path) -> None:
    """Remove what a killed stack has left, in any process. Harmless where nothing is left.

    Namespaces and bridges need no removal: they go with their last process.
    Errors: `DrillError` when a process will not end.
    """
    kill_labelled(label)
    remove_files(folder)


def remove_files(folder: Path) -> None:
    """Remove what a stack made, but for its logs; also what of it lies elsewhere, and in the kernel."""
    release_shared_memory(folder)
    lifecycle.remove_files(folder)
