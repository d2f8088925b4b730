"""Asking a run to stop, from any process: a file in its control folder. The run looks for it, heals and seals."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.evidence.run_folder import CONTROL
from harness.system import control_files

LOOKS = 0.2  # seconds
FILE = "stop.json"
HEARD = "heard.json"  # left by the run once it goes about it


@dataclass(frozen=True)
class StopRequest:
    who: str
    why: str


def ask(folder: Path, *, who: str, why: str) -> None:
    """Leave the request; the first one stands. A run whose control folder is gone is being sealed: it ends anyway."""
    with suppress(FileNotFoundError):
        control_files.leave(folder / CONTROL / FILE, {"who": who, "why": why}, first=True)


def asked(folder: Path) -> StopRequest | None:
    """The request, if there is one."""
    said = control_files.read(folder / CONTROL / FILE)
    return StopRequest(str(said.get("who")), str(said.get("why"))) if said else None


def heard(folder: Path) -> bool:
    """Whether the run goes about it. One that does not may hang: the guardian heals in its place."""
    return (folder / CONTROL / HEARD).exists()


class Listener:
    """Turns a request into the KeyboardInterrupt that Ctrl-C gives, once; further Ctrl-C do not disturb the healing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stopping = False  # somebody has asked
        self._shielded = 0
        self._owner = os.getpid()
        self._done = threading.Event()

    def begin(self) -> None:
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        threading.Thread(target=self._listen, name="stopping", daemon=True).start()

    def end(self) -> None:
        self._done.set()

    def why(self) -> StopRequest:
        return asked(self.folder) or StopRequest(who="operator", why="Ctrl-C")

    def _listen(self) -> None:
        while not self._done.wait(LOOKS):
            if asked(self.folder):
                main = threading.main_thread().ident or 0  # it has to wake from what it waits for
                signal.pthread_kill(main, signal.SIGINT)
                break
        while not self._done.wait(LOOKS):
            if self.stopping:
                with suppress(OSError):  # its folder is gone: it is over
                    control_files.leave(self.folder / CONTROL / HEARD, {"by": os.getpid()})
                return

    @contextmanager
    def shield(self) -> Iterator[None]:
        """What heals must not be interrupted: a request is remembered, and nothing is raised in here."""
        self._shielded += 1
        try:
            yield
        finally:
            self._shielded -= 1

    def _stop(self, number: int, _: object) -> None:
        if os.getpid() != self._owner:  # a library has forked, and ends its own child: that one is not the run
            os._exit(128 + number)
        first, self.stopping = not self.stopping, True
        if first and not self._shielded:
            raise KeyboardInterrupt
