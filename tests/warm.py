"""Commands as a user starts them, without importing everything anew: each is forked from a process that has.

A command has its own folder, environment, arguments and output; it runs `python -m NAME` from its first line, and ends
as Python ends. What it shares with the others is that modules of the machine, and what these stand on, were imported
before. So whoever asks what is imported, or is given another machine, starts a Python of his own.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent
HEEDED = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}  # of what Python reads of its environment when it begins
# What commands stand on; nothing of a project, and nothing that starts a thread.
LOADED = ("pytest", "gherkin.parser", "jinja2", "jsonschema", "yaml", "harness.sentences", "reports.build")


def drdrill(
    *words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    return python("harness", *words, cwd=cwd, env=env)


def python(
    name: str, *words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m name words`, as `subprocess.run` gives it back; its output is text, and nothing can be read in it."""
    argv, given = [str(word) for word in words], dict(os.environ if env is None else env)
    odd = {each for each in given if each.startswith("PYTHON") and given[each] != os.environ.get(each)} - HEEDED
    assert not odd, f"a Python that is started anew would heed {odd}"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        asked = {"name": name, "argv": argv, "cwd": str(cwd or Path.cwd()), "env": given}
        line, _ = _line()
        socket.send_fds(line, [json.dumps(asked).encode()], [out.fileno(), err.fileno()])
        code = line.recv(100)
        assert code, "what commands are forked from has ended"
        said = [os.pread(file.fileno(), 1 << 30, 0).decode() for file in (out, err)]
    return subprocess.CompletedProcess([sys.executable, "-m", name, *argv], int(code), *said)


@cache
def _line() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """To the process that they are forked from, which ends with this one."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {each: value for each, value in os.environ.items() if not each.startswith("PYTHON")}
    process = subprocess.Popen(
        [sys.executable, __file__, str(its.fileno())], cwd=HOME, env={**env, "PYTHONPATH": str(HOME)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[its.fileno()],
    )  # fmt: skip  # arguments in groups
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours, process


def _serve(line: socket.socket) -> None:
    """Fork, wait, answer; returns where whoever asks is gone, or, in a command, with it."""
    from harness.cli import COMMANDS  # noqa: PLC0415  (where this file is a program)
    from harness.system.later import fetch  # noqa: PLC0415  (the same)

    for name in LOADED:
        importlib.import_module(name)
    for place, *_ in COMMANDS.values():
        fetch(place)
    known = [each for each in sys.path[1:] if each != str(HOME)]
    assert threading.active_count() == 1, "a fork has one thread"
    gc.freeze()
    while True:
        said, files, _, _ = socket.recv_fds(line, 1 << 20, 2)
        if not said:
            return
        if not (pid := os.fork()):
            line.close()
            _become(json.loads(said), files, known)
            return
        for file in files:
            os.close(file)
        line.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(asked: dict[str, Any], files: Sequence[int], known: Sequence[str]) -> None:
    """Run it, as if it had been started so."""
    for file, place in zip(files, (1, 2), strict=True):
        os.dup2(file, place)
        os.close(file)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    more = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:] = [asked["cwd"], *more, *known]
    sys.argv[1:] = asked["argv"]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    importlib.invalidate_caches()
    runpy.run_module(asked["name"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
