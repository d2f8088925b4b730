"""The notebook as a stack: a service behind its supervisor, on an address of loopback, with its files in a folder."""

from __future__ import annotations

import platform
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from harness.errors import Refused
from harness.stacks import Condition, Entrance, PlainRegion
from harness.stacks.capabilities.components import Asked, Killable, Logged, Pausable, Startable
from harness.stacks.capabilities.entrance import Reachable, Readable
from harness.system import control_files, wait
from harness.system.command import Commands, Process, reap
from harness.system.http import DIRECT, NoAnswer
from harness.system.recorder import Memory
from harness.system.resolver import Fixed

HERE = Path(__file__).parent
ADDRESS = "127.0.0.1"
SOON = timedelta(seconds=10)
PATIENCE = timedelta(seconds=2)


class Part:
    """A component: a process whose pid lies in a file."""

    zone = ""

    def __init__(self, name, folder, port):
        self.name = name
        self.log = folder / "supervisor.log"
        self.door = (ADDRESS, port)
        self._pid = folder / f"{name}.pid"

    def process(self):
        try:
            return Process.of(int(self._pid.read_text()))
        except (OSError, ValueError):
            return Process(pid=0, started=0)

    def running(self):
        reap()
        found = self.process()
        return found.started > 0 and found.running()

    def start(self):
        """Nothing: the supervisor starts it again, and only a stack starts the supervisor."""

    def kill(self):
        """Until nothing of it is left: it takes connections as long as one of its threads is still there."""
        self._send(signal.SIGKILL, until=lambda found: not Path(f"/proc/{found.pid}").exists())

    stop = kill

    def pause(self):
        self._send(signal.SIGSTOP, until=Process.paused)

    def resume(self):
        self._send(signal.SIGCONT, until=lambda found: not found.paused())

    def ask(self):
        DIRECT.ask("GET", f"http://{ADDRESS}:{self.door[1]}/health", within=PATIENCE)

    def _send(self, signum, *, until):
        if self.running():
            found = self.process()
            found.send(signum)
            wait.until(
                lambda: reap() or until(found), what=f"{self.name}: {signum.name}", within=SOON, recorder=Memory()
            )


class Notebook:
    """Fills `harness.stacks.Stack`, and of the capabilities what its customers and its health need."""

    kind = "notebook"
    environment = "embedded"
    capabilities = (Startable, Killable, Pausable, Asked, Logged, Reachable, Readable)
    regions = (PlainRegion("here"),)
    secrets = ()

    def __init__(self, folder, *, recorder, label, scale=1.0, broken=None, port=0):
        self.folder = folder
        self.commands = Commands(recorder, label=label)
        self._recorder = recorder
        self._keeps = (broken or {}).get("keeps", "all")
        self._port = port or _free_port()
        self._file = folder / "notes.db"
        self.entrance = Entrance("notebook.example", Fixed((ADDRESS,)), self._port, ca=None)

    @classmethod
    def attach(cls, folder, *, recorder):
        saved = control_files.read(folder / "stack.json")
        if saved is None:
            raise Refused(f"no notebook was started in {folder}", hint="run a drill")
        return cls(folder, recorder=recorder, label=saved["label"], port=saved["port"])

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        control_files.leave(self.folder / "stack.json", {"label": self.commands.label, "port": self._port})
        service = [sys.executable, HERE / "service.py", self._port, self._file, self._keeps]
        words = [sys.executable, HERE / "supervisor.py", self.folder / "service.pid", *service]
        process = self.commands.start(words, log=self.folder / "supervisor.log")
        (self.folder / "supervisor.pid").write_text(str(process.pid))
        wait.until(lambda: self.steady()[0].ok, what="the service answers", within=SOON, recorder=self._recorder)

    def stop(self):
        for name in ("supervisor", "service"):  # in this order, or it would come back
            self.components()[name].kill()

    def components(self):
        return {name: Part(name, self.folder, self._port) for name in ("supervisor", "service")}

    def steady(self):
        try:
            status = DIRECT.ask(
                "GET", self.entrance.url("/health"), within=PATIENCE, resolver=self.entrance.resolver
            ).status
        except NoAnswer as error:
            return [Condition("the service answers", ok=False, seen=str(error))]
        return [Condition("the service answers", ok=status == 200, seen=f"HTTP {status}")]

    def reading(self):
        """What `Notes.rows` reads from."""
        return closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True))

    def parts(self):
        return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}

    def logs(self):
        return {"supervisor": self.folder / "supervisor.log"}


def _free_port():
    with socket.socket() as found:
        found.bind((ADDRESS, 0))
        return found.getsockname()[1]


STACK = Notebook
