"""How the monitoring of an attached platform is heard: it posts to us, or its Alertmanager is asked each second."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.alerts.alert_file import AlertFile
from harness.alerts.poller import ASKED
from harness.errors import Refused
from harness.stacks import Condition
from harness.stacks.attached.file.described import Alerts
from harness.stacks.attached.file.formats import address
from harness.stacks.capabilities.monitoring import Alert, Truncated
from harness.stacks.parts.logs import last_lines
from harness.system import clock, control_files, wait
from harness.system.command import Commands, Process
from harness.system.http import DIRECT, NoAnswer

FILE = "alerts.jsonl"
PID = "listener.json"
SOON = timedelta(seconds=10)
OFTEN = timedelta(milliseconds=100)
ASKED_WITHIN = timedelta(seconds=10)
PATIENCE = timedelta(seconds=2)


class Heard:
    """Fills `Monitoring`. What listens is a process of the run, and ends with it."""

    def __init__(self, said: Alerts, *, folder: Path, commands: Commands, ours: Sequence[str]) -> None:
        """`ours`: the components and zones of the stack file; of others nobody is told here."""
        self._said = said
        self._folder = folder
        self._commands = commands
        self._ours = set(ours)
        self._file = AlertFile(folder / FILE)
        self.by = f"the alerts of {said.poll}" if said.poll else f"what is posted to {said.receive}"

    def begin(self) -> None:
        """Listen from now on; what was told to an earlier run is forgotten. Errors: `Refused` where that cannot be."""
        self.end()
        for left in (self._file.path, self._asked):
            left.unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / "listener.log"
        log.unlink(missing_ok=True)
        self._commands.start(self._words(), log=log, part=False, keep=self._keep)
        wait.poll(lambda: not self._deaf() or not self._process().running(), within=SOON, every=OFTEN)
        if why := self._deaf():
            said = last_lines(log) if log.stat().st_size else why
            raise Refused(f"alerts cannot be heard: {said}", hint="`alerts:` of the stack file says where they are")

    def end(self) -> None:
        """Harmless where nobody listens."""
        found = self._process()
        if found.started and found.running():
            with suppress(ProcessLookupError):
                found.send(signal.SIGTERM)
            wait.poll(lambda: not found.running(), within=SOON, every=OFTEN)
        (self._folder / PID).unlink(missing_ok=True)

    def alerts(self) -> list[Alert]:
        return self._file.alerts()

    def truncated(self) -> list[Truncated]:
        return self._file.truncated()

    def condition(self) -> Condition:
        """Somebody listens, and no alert about what the file names is firing: one that fires is not told again."""
        name = "watched"
        if not self._process().started:
            return Condition(name, ok=True, seen="nobody listens yet: a run does")
        if why := self._deaf():
            return Condition(name, ok=False, seen=why)
        firing = [one for one in self._file.firing() if {one.component, one.zone} & self._ours]
        if firing:
            told = ", ".join(f"{one.name} {one.component or one.zone}".strip() for one in firing)
            return Condition(name, ok=False, seen=f"alerts are firing: {told}")
        return Condition(name, ok=True, seen=f"by {self.by}; none is firing")

    @property
    def _asked(self) -> Path:
        return self._folder / f"{FILE}{ASKED}"

    def _words(self) -> list[str]:
        labels = [f"--label={name}={label}" for name, label in self._said.labels.items()]
        if self._said.poll:
            return [sys.executable, "-P", "-m", "harness.alerts.poller", f"--at={self._said.poll}", *self._into(labels)]
        listen = f"--listen={self._said.receive}"
        return [sys.executable, "-P", "-m", "harness.alerts.receiver", listen, *self._into(labels)]

    def _into(self, labels: Sequence[str]) -> list[str]:
        return [f"--file={self._folder / FILE}", *labels]

    def _deaf(self) -> str:
        """Why nothing would be heard; empty where it would."""
        if not self._process().running():
            return "nobody listens: who did has ended"
        if self._said.poll:
            asked = control_files.read(self._asked) or {}
            last = int(asked.get("last", 0))
            if last and clock.since(last) < ASKED_WITHIN:
                return ""
            return f"{self._said.poll}: {asked.get('why') or 'was not asked yet'}"
        host, port = address(self._said.receive)
        try:
            DIRECT.ask("GET", f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/health", within=PATIENCE)
        except NoAnswer as error:
            return f"the receiver at {self._said.receive} does not answer: {error}"
        return ""

    def _keep(self, process: Process) -> None:
        control_files.leave(self._folder / PID, {"pid": process.pid, "started": process.started})

    def _process(self) -> Process:
        said = control_files.read(self._folder / PID) or {}
        return Process(pid=int(said.get("pid", 0)), started=int(said.get("started", 0)))
