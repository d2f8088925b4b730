"""The first process of a sandbox: run by `unshare`, before anything of the harness, with the standard library alone.

`unshare -Urn --mount --pid --ipc` (without --fork) has made the namespaces and has become this program. It forks once:
the child is process 1 of the sandbox, the parent stays outside under the pid that the user's shell knows.

- Process 1 mounts /proc, brings `lo` up, runs the command in a process group of its own (the terminal's foreground
  group where there is a terminal, so that Ctrl-C reaches the command exactly once), reaps orphans, and ends with the
  command. When it ends, for whatever reason, the kernel kills every process of the sandbox.
- The parent passes SIGINT, SIGTERM and SIGHUP on to the command's group, and returns its exit code (128+n for a
  signal). When the parent is killed, process 1 is killed by the kernel (PR_SET_PDEATHSIG).

It must never import the harness: it is the reason why a sandbox starts in 30 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
PR_SET_PDEATHSIG = 1
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COULD_NOT = 125  # as `env` and `nohup` do: the wrapper itself failed


def link_up(name: str) -> None:
    """Set a network link of this namespace up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", name.encode(), 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(handle, SIOCGIFFLAGS, request))
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", name.encode(), flags | IFF_UP))


def _libc_call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _status(raw: int) -> int:
    return os.WEXITSTATUS(raw) if os.WIFEXITED(raw) else 128 + os.WTERMSIG(raw)


def _run_command(argv: list[str]) -> int:
    """Become the command, in a group of its own."""
    os.setpgid(0, 0)
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [*PASSED_ON, signal.SIGCHLD])
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return COULD_NOT


def _first_process(argv: list[str], outside: int, tell: int) -> int:
    """Process 1 of the sandbox. `outside` is readable once the parent is gone; the command's group goes to `tell`."""
    libc = ctypes.CDLL(None, use_errno=True)
    _libc_call("prctl", libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if select.select([outside], [], [], 0)[0]:
        return COULD_NOT  # the parent was killed before the line above
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    _libc_call("mount /proc", libc.mount(b"proc", b"/proc", b"proc", flags, None))
    link_up("lo")
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        os.close(outside)
        os.close(tell)
        os._exit(_run_command(argv))
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(child, child)  # the child does it too: whoever is faster
    if os.isatty(0):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, child)
    os.write(tell, b"%d" % child)
    os.close(tell)
    while True:
        pid, raw = os.wait()
        if pid == child:
            return _status(raw)


def main(argv: list[str]) -> int:
    """Run `argv` in the sandbox that `unshare` has made; its exit code."""
    os.environ["DRDRILL_SANDBOX"] = str(os.getpid())
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # out here's /proc: a mount does not change an open folder
    alive, keep = os.pipe()
    told, tell = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, [*PASSED_ON, signal.SIGCHLD])
    first = os.fork()
    if first == 0:
        os.close(keep)
        os.close(told)
        os.close(proc)
        try:
            code = _first_process(argv, alive, tell)
        except OSError as error:
            print(f"drdrill: the sandbox cannot be made: {error.strerror}", file=sys.stderr)
            code = COULD_NOT
        os._exit(code)
    os.close(alive)
    os.close(tell)
    began = os.read(told, 20)
    group = _children(proc, first) if began else 0
    while True:
        number = signal.sigwaitinfo([*PASSED_ON, signal.SIGCHLD]).si_signo
        if number == signal.SIGCHLD:
            pid, raw = os.waitpid(first, os.WNOHANG)
            if pid:
                return _status(raw)
        elif group:
            try:
                os.killpg(group, number)
            except ProcessLookupError:
                continue  # it has just ended: SIGCHLD follows


def _children(proc: int, pid: int) -> int:
    """The first child of `pid`, numbered as out here."""
    handle = os.open(f"{pid}/task/{pid}/children", os.O_RDONLY, dir_fd=proc)
    try:
        words = os.read(handle, 100).split()
    finally:
        os.close(handle)
    return int(words[0]) if words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
