"""The one door to what survives a power cut beside a file's own content: names in folders, and a folder as a whole.

A file that was made, renamed or removed is so for good only once its folder is synced. Who writes a file syncs its
content itself, by the handle that it holds.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """What was put into the folder, or taken out of it, stays so when this returns. Errors: `OSError`."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """The same for all that lies below, with the content of every file. Errors: `OSError`, also for a link."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(Path(root) / name, os.O_RDONLY | os.O_NOFOLLOW)
        sync_folder(Path(root))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
