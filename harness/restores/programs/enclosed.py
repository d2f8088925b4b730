"""Becomes a command in a mount namespace that `unshare` has just made, in which some paths cannot be written.

`enclosed.py PATH... -- COMMAND...`: run by its file, with the standard library alone. A path that does not become
read-only ends it: the command is not run then.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
# As statvfs has them, to how mount has them: what is set already must stay set, or the kernel refuses.
FLAGS = {os.ST_NOSUID: 2, os.ST_NODEV: 4, os.ST_NOEXEC: 8, os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, 4096: 1 << 21}
PR_CAPBSET_DROP, CAP_SYS_ADMIN = 24, 21
COULD_NOT = 125  # as `env` and `nohup` do: the wrapper itself failed
LIBC = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, flags: int) -> None:
    if LIBC.mount(source.encode(), target.encode(), None, flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def plain(point: str) -> str:
    """A path as the kernel writes it in mountinfo: as it is, but for these four."""
    for octal, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, letter)
    return point


def _mounted_in(path: str) -> list[str]:
    """The mount points at and below a path."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as file:
        points = [plain(line.split()[4]) for line in file]
    return sorted({point for point in points if point == path or point.startswith(f"{path}/")})


def read_only(path: str) -> None:
    """Nothing in here writes there any more. Errors: `OSError`."""
    path = os.path.realpath(path)
    _mount(path, path, MS_BIND | MS_REC)
    points = _mounted_in(path)
    if path not in points:
        raise OSError(0, f"{path} is not to be found among what is mounted")
    for point in points:
        there = os.statvfs(point).f_flag
        kept = sum(mount for seen, mount in FLAGS.items() if there & seen)
        _mount("none", point, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)
        if not os.statvfs(point).f_flag & os.ST_RDONLY:
            raise OSError(0, f"{point} is not read-only")


def main(words: list[str]) -> int:
    paths, command = words[: words.index("--")], words[words.index("--") + 1 :]
    try:
        for path in paths:
            read_only(path)
    except OSError as error:
        print(f"drdrill: {error.strerror or error}", file=sys.stderr)
        return COULD_NOT
    with contextlib.suppress(AttributeError):  # root keeps its files, and not the right to mount them anew
        LIBC.prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
