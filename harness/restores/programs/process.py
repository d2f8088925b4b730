"""A place made of processes of this machine, in namespaces that one process holds: all of it ends with that one."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from harness.errors import Unable
from harness.restores.programs import reaching
from harness.restores.programs.left import KEY, Mark
from harness.restores.programs.ways import ALONE, Way
from harness.stacks.parts.logs import last_lines
from harness.system import wait
from harness.system.command import Commands, Process, reap

READY = timedelta(seconds=30)
TRIED = timedelta(seconds=30)
ISOLATION = (
    "a network of its own, without a way out; of this machine's files it sees the system's alone, and can write none"
)


class ProcessRoom:
    """Fills `Room`."""

    def __init__(self, bin_: Path, *, way: Way, commands: Commands) -> None:
        self.isolation = ISOLATION if way.apart else ""
        self._bin = bin_
        self._way = way
        self._commands = commands
        self._holder: Process | None = None
        self._account: list[str] = []
        self._owner: int | None = None

    def bin(self) -> Path:
        return self._bin

    def words(self, argv: Sequence[str], *, server: bool, env: Sequence[str] = ()) -> list[str]:
        return [*self._join(view=server), *(self._account if server else []), *argv]

    def make(self, mark: Mark, kept: Sequence[Path]) -> None:
        self._account, self._owner = self._way.account(mark.folder, self._bin / "postgres")
        if not self._way.apart:
            return
        log = mark.folder / "holder.log"
        own = [Path(sys.prefix), Path(sys.base_prefix), self._bin.parent, Path(__file__).parents[3]]
        words = self._way.holder(kept, reads=own)
        self._holder = self._commands.start(
            words, log=log, env={KEY: mark.key}, cwd=Path("/"), part=False, keep=mark.started
        )

        def ready() -> bool:
            reap()
            return "ready" in log.read_text().split() or not (self._holder and self._holder.running())

        wait.poll(ready, within=READY, every=timedelta(milliseconds=5))
        if "ready" not in log.read_text().split():
            raise Unable(f"no namespaces for the place: {last_lines(log)}", hint="run `drdrill doctor`")

    def owner(self) -> int | None:
        return self._owner

    def reach(self, address: str) -> str:
        """Names are resolved out here, so that it is the network that is tried, and not the lack of a name server."""
        words = [*self._join(view=True), *ALONE, "-c", Path(reaching.__file__).read_text(), *addresses(address)]
        done = self._commands.run(words, within=TRIED, quiet=True)
        return done.out.strip()

    def _join(self, *, view: bool) -> list[str]:
        return self._way.join(self._holder.pid, view=view) if self._holder is not None else []


def addresses(address: str) -> list[str]:
    """All that host:port stands for, each as host and port; a path is a socket file."""
    if address.startswith("/"):
        return [address]
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return [f"{host}:{port}"]
    return list(dict.fromkeys(f"{one[4][0]!s}:{port}" for one in found))
