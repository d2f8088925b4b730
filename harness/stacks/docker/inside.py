"""Run a command in a container, as if it ran here: signals are passed on, and its exit code is ours.

    python -m harness.stacks.docker.inside [--here | --user UID:GID] CONTAINER -- COMMAND...

`--here` runs it with this machine's own files (mounted in the container at /host), as our user, in our folder: so
customers stand in a container's network and are the very program that is installed here. Docker's own `exec` passes
no signals on, and ends without its command.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from harness.errors import DrillError
from harness.stacks.docker.engine import engine, spoken, told
from harness.system import environment as surroundings
from harness.system.command import LABEL

HOST = "/host"
PASSED_ON = (LABEL, "PYTHONPATH", "PGPASSWORD", *surroundings.fixed())


def here(argv: Sequence[str]) -> list[str]:
    """The command with our root, our user and our folder, for a container that has our root at /host."""
    user = f"--userspec={os.geteuid()}:{os.getegid()}"
    python_path = f"PYTHONPATH={surroundings.handed_on()['PYTHONPATH']}"
    return ["chroot", user, HOST, "env", f"--chdir={Path.cwd()}", python_path, *argv]


def run(container: str, argv: Sequence[str], *, user: str) -> int:
    """Returns the command's exit code. Errors: `DrillError` where the container is gone."""
    api = engine().api
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with told(f"running {argv[0]}"):
        made = api.exec_create(container, list(argv), user=user, environment=env)["Id"]

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        pid = api.exec_inspect(made)["Pid"]
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, pass_on)
    with told(f"running {argv[0]}"):
        for where, said in spoken(api, made):
            sink = sys.stdout if where == 1 else sys.stderr
            sink.buffer.write(said)
            sink.flush()
        return int(api.exec_inspect(made)["ExitCode"] or 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="inside")
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--user", default="0")
    parser.add_argument("container")
    parser.add_argument("argv", nargs="+")
    given = parser.parse_args()
    try:
        return run(given.container, here(given.argv) if given.here else given.argv, user=given.user)
    except DrillError as error:
        print(error, file=sys.stderr)
        return int(error.exit)


if __name__ == "__main__":
    sys.exit(main())
