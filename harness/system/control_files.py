"""Small JSON files by which processes tell each other something. Each is whole, or it is not there."""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.system.durable import sync_folder


def leave(path: Path, content: dict[str, Any], *, first: bool = False, private: bool = False) -> bool:
    """Put it there; when this returns, it survives a power cut. With `first` what is there already stands;
    with `private` nobody but its owner can read it.

    Returns whether it is ours that is there now. Errors: `OSError` where it cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        if private:
            fresh.touch(mode=0o600)
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        if first:
            if not _link(fresh, path):
                return False
        else:
            fresh.rename(path)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    sync_folder(path.parent)
    return True


def _link(fresh: Path, path: Path) -> bool:
    """A second name, which unlike a new one replaces nothing; where the file system has none, a look before."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if path.exists():
            return False
        fresh.rename(path)
    return True


def read(path: Path) -> dict[str, Any] | None:
    """What is there; None where nothing is, or where it is no object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
