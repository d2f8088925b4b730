"""Run on a level to show that it holds: makes what a stack needs, once, in small. Exit 0 when it does.

The last line it prints says what failed. Called by file, with the search path of modules as arguments, so that it
starts in a sandbox exactly as the harness does.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def check_database_user(level: str) -> None:
    """A program of the database really runs as somebody who is not root, and opens a file of ours."""
    from harness.stacks.local.database_user import database_user  # noqa: PLC0415  the search path is set only now

    words = [*database_user(level).words, sys.executable, "-I", "-S", "-c", "import os; print(os.geteuid())"]
    ended = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines()
        raise RuntimeError(f"a user for the database: {said[-1] if said else ended.returncode}")
    if ended.stdout.strip() == "0":
        raise RuntimeError("a user for the database: still root")


def check_zone() -> None:
    """A bridge, a network namespace behind it, and a real connection from there."""
    from harness.stacks.local.bridge import Bridge  # noqa: PLC0415  the search path is set only now

    bridge = Bridge.claim()
    holder = subprocess.Popen(
        ["unshare", "--net", "--", *bridge.holder_argv([11], others=())],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        bridge.plug("a", [11], holder.pid)
        said = holder.stdout.readline() if holder.stdout else ""
        if said.strip() != "ready":
            raise RuntimeError("a zone of its own: its link did not come up")
        with socket.create_server((bridge.address(1), 0)) as server:
            server.settimeout(5)
            port = server.getsockname()[1]
            reach = f"import socket; socket.create_connection(({bridge.address(1)!r}, {port}), 5)"
            words = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", sys.executable, "-I", "-S", "-c", reach]
            subprocess.run(words, check=True, capture_output=True, timeout=10)
            server.accept()[0].close()
    finally:
        holder.kill()
        holder.wait()
        bridge.drop()


def check_loopback() -> None:
    """Addresses of 127/8 beside 127.0.0.1 can be used."""
    with socket.create_server(("127.77.0.11", 0)) as server:
        socket.create_connection(server.getsockname()[:2], 5).close()


def main(level: str) -> int:
    from harness.errors import DrillError  # noqa: PLC0415  the search path is set only now

    try:
        check_database_user(level)
        if level == "loopback":
            check_loopback()
        else:
            check_zone()
    except (OSError, RuntimeError, subprocess.SubprocessError, DrillError) as error:
        print(getattr(error, "message", error))
        return 1
    return 0


if __name__ == "__main__":
    sys.path[:] = [sys.argv.pop(2) for _ in range(len(sys.argv) - 2)]
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    os.chdir("/")
    sys.exit(main(sys.argv[1]))
