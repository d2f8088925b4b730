"""The first command of a place's namespaces: it hides what lies around, says "ready", and stays until it is killed.

`holder.py [--try] KEPT... -- READ...`: whatever is no part of the system is empty for who is in here, but for the kept
folders and those that are read; and nothing but the kept ones can be written. So no file of this machine is written
from in here, whatever a backup brings with it, and no socket file is in sight, through which a server of this machine
is reached without any network. Run by its file, with the standard library alone: with `--try` it ends at once, and has
shown that all of it is allowed here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
# As statvfs has them, to how mount has them: what is set already must stay set, or the kernel refuses.
FLAGS = {os.ST_NOSUID: 2, os.ST_NODEV: 4, os.ST_NOEXEC: 8, os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, 4096: 1 << 21}
SYSTEM = ("bin", "dev", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "proc", "sbin", "sys", "usr")
SHM = "/dev/shm"
LITTLE, SHARED = b"mode=1777,size=1m", b"mode=1777,size=64m"  # as containers have it: initdb shares memory in there
OPEN = ("/tmp", SHM)  # empty, and written by whoever is in here: it goes with the namespaces
ITS_OWN = "/proc"  # of these namespaces, and written to make an account of them
LIBC = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
    if LIBC.mount(source.encode(), target.encode(), kind, flags, options) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def hidden() -> list[str]:
    """Every folder of the root that is no part of the system, and what else everybody may write."""
    found = (entry.path for entry in os.scandir("/") if entry.is_dir(follow_symlinks=False))
    return sorted({*OPEN, *(path for path in found if path[1:] not in SYSTEM)})


def hide(folder: str, kept: list[str]) -> None:
    """Mount nothing over the folder, and the kept ones in it where they were."""
    if not Path(folder).is_dir() or Path(folder).is_symlink():
        return
    inside = sorted({path for path in kept if path.startswith(f"{folder}/") and Path(path).exists()}, key=len)
    handles = [os.open(path, os.O_PATH) for path in inside]
    _mount("tmpfs", folder, b"tmpfs", 0, SHARED if folder == SHM else LITTLE)
    for path, handle in zip(inside, handles, strict=True):
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, None, MS_BIND | MS_REC)
        os.close(handle)


def read_only(but: Sequence[str]) -> None:
    """All that is mounted, but what is open, or at or below these. Errors: `OSError` where it cannot be."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as file:
        points = [plain(line.split()[4]) for line in file]
    for point in sorted(set(points)):
        if point in OPEN or _below(point, but):
            continue
        try:
            there = os.statvfs(point).f_flag
            kept = sum(mount for seen, mount in FLAGS.items() if there & seen)
            _mount("none", point, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)
        except OSError:  # it may lie under one of those that hide it
            if Path(point).exists() and not os.statvfs(point).f_flag & os.ST_RDONLY:
                raise


def plain(point: str) -> str:
    """A path as the kernel writes it in mountinfo: as it is, but for these four."""
    for octal, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, letter)
    return point


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def main(words: list[str]) -> int:
    tried = words[:1] == ["--try"]
    words = words[1:] if tried else words
    os.umask(0o022)  # the folders above those that are kept are entered by the server's account
    kept, read = ([os.path.realpath(path) for path in some] for some in _parted(words))
    try:
        folders = hidden()
        for folder in folders:
            hide(folder, [*kept, *read])
        for path in kept:
            if not _below(path, folders):
                _mount(path, path, None, MS_BIND | MS_REC)
        read_only([*kept, ITS_OWN])
    except OSError as error:
        print(error.strerror or error, flush=True)
        return 1
    print("ready", flush=True)
    while not tried:
        signal.pause()
    return 0


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    at = words.index("--")
    return words[:at], words[at + 1 :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
