"""The first command of a place's namespaces: it hides what lies around, says "ready", and stays until it is killed.

`holder.py [--try] HIDDEN... -- KEPT...`: each hidden folder is empty for who is in here, but for the kept ones in it.
So no socket file in it is in sight, through which a server of this machine is reached without any network. Run by its
file, with the standard library alone: with `--try` it ends at once, and has shown that all of it is allowed here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

MS_BIND, MS_REC = 4096, 16384
LIBC = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
    if LIBC.mount(source.encode(), target.encode(), kind, flags, options) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def hide(folder: str, kept: list[str]) -> None:
    """Mount nothing over the folder, and the kept ones in it where they were."""
    if not Path(folder).is_dir() or Path(folder).is_symlink():
        return
    inside = [path for path in kept if path.startswith(f"{folder}/") and Path(path).exists()]
    handles = [os.open(path, os.O_PATH) for path in inside]
    _mount("tmpfs", folder, b"tmpfs", 0, b"mode=1777,size=1m")
    for path, handle in zip(inside, handles, strict=True):
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, None, MS_BIND | MS_REC)
        os.close(handle)


def main(words: list[str]) -> int:
    tried = words[:1] == ["--try"]
    words = words[1:] if tried else words
    hidden, kept = words[: words.index("--")], words[words.index("--") + 1 :]
    try:
        for folder in hidden:
            hide(folder, kept)
    except OSError as error:
        print(error.strerror or error, flush=True)
        return 1
    print("ready", flush=True)
    while not tried:
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
