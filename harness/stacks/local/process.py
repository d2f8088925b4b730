"""One process of a local stack, with what it starts: the component that everything else here is made of."""

from __future__ import annotations

import json
import operator
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from harness.errors import DrillError, NotInTime, NotReady
from harness.stacks.local import limits
from harness.stacks.local.database_user import database_user
from harness.stacks.parts.logs import IN_UTC, last_lines
from harness.system import clock, wait
from harness.system.clock import Moment, around, spanning
from harness.system.command import LABEL, PART, Commands, Process, reap, with_descendants
from harness.system.environment import handed_on

SAYS = {
    signal.SIGKILL: "the kernel: before the first SIGKILL, and when none of the processes was left",
    signal.SIGSTOP: "the kernel: before the first SIGSTOP, and when each of the processes was stopped",
    signal.SIGCONT: "the kernel: before the first SIGCONT, and when none of the processes was stopped",
}
SOON = timedelta(seconds=10)
DIES = timedelta(seconds=1)  # a process that was told to, unless the disk holds it
VERY_OFTEN = timedelta(milliseconds=1)
FULL = 8192  # bytes: a page of the database, so that what is there can be changed in place at best


class LocalProcess:
    """A component that is one process. Its pid lies in a file, so that another process finds it.

    `argv` is asked for at each start. Everything it starts is ended with it, also what has left its session: by the
    tree of processes and by the variable that children inherit, never by name.
    """

    def __init__(
        self,
        commands: Commands,
        *,
        name: str,
        zone: str,
        folder: Path,
        argv: Callable[[], Sequence[str]],
        env: Callable[[], Mapping[str, str]] = dict,
        stop_within: timedelta = SOON,
        piped: bool = False,
    ) -> None:
        self.name = name
        self.zone = zone
        self._commands = commands
        self._argv = argv
        self._env = env
        self._log = folder / "logs" / f"{name}.log"
        self._pid_file = folder / "pids" / f"{name}.json"
        self._stop_within = stop_within
        self._piped = piped

    @property
    def log(self) -> Path:
        return self._log

    @property
    def process(self) -> Process | None:
        """The process, running or not; None where it was never started or was stopped."""
        try:
            return Process(*json.loads(self._pid_file.read_text()))
        except (OSError, ValueError):
            return None

    def start(self) -> None:
        """Start it; harmless where it runs. It is not waited for."""
        if self.running():
            return
        mark = {PART: f"{self._commands.label}/{self.name}"}
        env = {**IN_UTC, **self._env(), **mark}
        self._commands.start(self._argv(), log=self.log, env=env, piped=self._piped, keep=self._keep)

    def _keep(self, process: Process) -> None:
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.write_text(json.dumps([process.pid, process.started]))

    def running(self) -> bool:
        process = self.process
        return process is not None and process.running()

    def alive(self) -> bool:
        return bool(self.family())

    def stop(self) -> None:
        """Ask it to end, and end by force what does not."""
        self.ask_to_stop()
        self.wait_stopped()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return, so that several can end at once."""
        process = self.process
        if process is not None:
            process.send(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait until it has ended, by force when it takes too long."""
        process = self.process
        if process is not None:
            try:
                self._gone([process], self._stop_within)
            except NotInTime:
                process.send(signal.SIGKILL)
        self.kill()

    def kill(self) -> Moment | None:
        """SIGKILL it and all it has started, again and again until nothing is left."""
        left, moment = _signalled(self.family, signal.SIGKILL)
        if left:
            self._gone(left, timedelta(0))
        self._pid_file.unlink(missing_ok=True)
        return moment

    def pause(self) -> Moment | None:
        """SIGSTOP it and all it has started, until nothing of it moves; its ports stay open. Harmless when repeated."""
        return self._send_all(signal.SIGSTOP, to=lambda process: not process.paused())

    def resume(self) -> Moment | None:
        """Harmless where it is not paused."""
        return self._send_all(signal.SIGCONT, to=Process.paused)

    def freeze_first(self) -> None:
        """SIGSTOP its own process, and nothing that it has started. Harmless when repeated."""
        process = self.process
        if process is not None:
            process.send(signal.SIGSTOP)

    def thaw_first(self) -> None:
        """Harmless where it is not frozen."""
        process = self.process
        if process is not None:
            process.send(signal.SIGCONT)

    def fill(self) -> Moment | None:
        """No file that it, or what it has started, writes can grow from now on, as far as the log of what it started.

        SIMULATED: not a full disk, but a limit on the size of files (RLIMIT_FSIZE, the soft one). PostgreSQL takes
        both alike: the write fails. Logs that are written through a pipe are no files of its own, and go on.
        """
        return self._limit(FULL)

    def free(self) -> Moment | None:
        """Harmless where it has room."""
        return self._limit(None)

    def full(self) -> bool:
        """Whether its own process, and so all that it starts from now on, is limited."""
        process = self.process
        return process is not None and process.running() and limits.file_size(process.pid)[0] == FULL

    def _limit(self, size: int | None) -> Moment | None:
        """Again and again, for it may start another process meanwhile; its own first. Errors: `DrillError`."""

        def to_do() -> list[int]:
            oldest_first = sorted(self.family(), key=lambda process: process.started)
            found = [process.pid for process in oldest_first if not limits.only_logs(process.pid)]
            return [pid for pid in found if not limits.as_wanted(pid, size)]

        begin, done = clock.mono(), []
        while pids := to_do():
            if clock.since(begin) > SOON:
                raise DrillError(f"{self.name}: the limit of processes {pids} stays", hint="`prlimit --pid` shows it")
            done.append(around(partial(limits.limit_files, pids, size), by="the kernel, which was given the limits"))
        return spanning(done)

    def _send_all(self, signum: signal.Signals, *, to: Callable[[Process], bool]) -> Moment | None:
        """Again and again, for it may start another process meanwhile. Errors: `DrillError`."""
        left, moment = _signalled(lambda: [process for process in self.family() if to(process)], signum)
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise DrillError(f"{self.name} does not take {signum.name}: {pids}", hint="look at them with `ps`")
        return moment

    def family(self) -> list[Process]:
        """It, what it has started, and what those have started."""
        found = marked(f"{PART}={self._commands.label}/{self.name}")
        process = self.process
        if process is not None and process.running():
            found.append(process)
        return with_descendants(found)

    def ended(self) -> int | None:
        """Not known: the kernel keeps nothing of a process that is gone."""

    def must_run(self) -> None:
        """Errors: `NotReady` with its last words, when it has ended."""
        if not self.running():
            reap()
            raise NotReady(f"{self.name} has ended: {last_lines(self.log)}", hint=f"read {self.log}")

    def _gone(self, processes: Sequence[Process], within: timedelta) -> None:
        def ended() -> bool:
            reap()
            return not any(process.running() for process in processes)

        what = f"{self.name} ends"
        every = timedelta(milliseconds=20)
        wait.until(ended, what=what, within=within, recorder=self._commands.recorder, every=every)


def kill_together(label: str, names: Sequence[str], *, first: Callable[[], object] = bool) -> Moment | None:
    """SIGKILL several components of a stack, and all they have started, at one instant, as a power cut does.

    `first`: what is done just before.
    """
    found = with_descendants(marked(*(f"{PART}={label}/{name}" for name in names)))

    def act() -> None:
        first()
        _send(found, signal.SIGKILL)

    return around(act, by=SAYS[signal.SIGKILL])


def kill_parts(label: str) -> None:
    """SIGKILL every component of a stack at once, and what they have started. Errors: `DrillError`."""
    _kill_marked(f"{PART}={label}/", label, exactly=False)


def kill_labelled(label: str) -> None:
    """SIGKILL everything of a run, its components and its commands, but for ourselves. Errors: `DrillError`."""
    _kill_marked(f"{LABEL}={label}", label, exactly=True)


def _kill_marked(variable: str, label: str, *, exactly: bool) -> None:
    left, _ = _signalled(lambda: with_descendants(marked(variable, exactly=exactly)), signal.SIGKILL)
    if left:
        raise DrillError(
            f"processes of stack {label} will not end: {', '.join(str(process.pid) for process in left)}",
            hint="look at them with `ps`, end them by pid, then run `drdrill heal`",
        )


def _signalled(
    find: Callable[[], Sequence[Process]], signum: signal.Signals
) -> tuple[Sequence[Process], Moment | None]:
    """Send it again and again until nothing is found any more; what is still found after a while, and when it took
    effect: from the first signal until the kernel showed that the last of them had taken it."""
    taken = []

    def left() -> Sequence[Process]:
        found = find()
        if found:
            taken.append(around(partial(_send, found, signum), by=SAYS[signum]))
        return found

    return wait.poll(left, within=SOON, every=timedelta(milliseconds=10), enough=operator.not_), spanning(taken)


def _send(processes: Sequence[Process], signum: signal.Signals) -> None:
    """To each, and wait until the kernel shows that it was taken, for a while."""
    for process in processes:
        process.send(signum)

    def taken() -> bool:
        if signum is signal.SIGKILL:
            return not any(process.running() for process in processes)
        held = signum is signal.SIGSTOP
        return all(process.paused() is held for process in processes if process.running())

    wait.poll(taken, within=DIES, every=VERY_OFTEN)
    if signum is signal.SIGKILL:
        reap()


def marked(*variables: str, exactly: bool = True) -> list[Process]:
    """Every process but ours whose environment has one of these `NAME=value` (or a value that begins so)."""
    wanted = [variable.encode() for variable in variables]
    found, hidden = [], []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = set((entry / "environ").read_bytes().split(b"\0"))
        except PermissionError:
            hidden.append(int(entry.name))
            continue
        except OSError:
            continue
        if any(one in words if exactly else any(word.startswith(one) for word in words) for one in wanted):
            found.append(int(entry.name))
    if hidden and os.geteuid() == 0:
        found += _asked_as_database_user(hidden, variables, exactly=exactly)
    return [process for process in map(Process.of, found) if process.running()]


def _asked_as_database_user(pids: Sequence[int], variables: Sequence[str], *, exactly: bool) -> list[int]:
    """Root in a container may not look into the processes of the database's user, but that user may."""
    files = [f"/proc/{pid}/environ" for pid in pids]
    options = ["-z", "-a", "-l", "-F", *(["-x"] if exactly else [])]
    asked = [word for variable in variables for word in ("-e", variable)]
    words = [*database_user("loopback").words, "grep", *options, *asked, *files]
    ended = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=handed_on()
    )
    return [int(line.split("/")[2]) for line in ended.stdout.splitlines()]
