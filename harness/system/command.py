"""The one door to processes: every external command starts here, is recorded, and carries the run's label.

What it gets as its environment is a short list (`surroundings`), and nothing else of the caller's.
The label is an environment variable, `DRDRILL_RUN=<run id>`, which children inherit. It is how `end_labelled`
finds what a killed harness left behind: by the exact run id, never by a program's name.
"""

from __future__ import annotations

import operator
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from harness.errors import DrillError
from harness.system import clock, wait
from harness.system.environment import handed_on
from harness.system.recorder import Recorder

LABEL = "DRDRILL_RUN"
PART = "DRDRILL_PART"  # what a part of a stack carries besides, and what it starts: <label>/<name>
UNNAMED = "-"  # instead of a name
TAIL = 2000


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code and what it printed."""

    argv: tuple[str, ...]
    exit: int
    out: str
    err: str
    length: timedelta

    @property
    def ok(self) -> bool:
        return self.exit == 0


class CommandFailed(DrillError):
    """A command ended with an exit code other than 0, or not in time."""


@dataclass(frozen=True)
class Process:
    """A process that runs for long, known by pid and start time so that a reused pid is never hit."""

    pid: int
    started: int  # field 22 of /proc/PID/stat: clock ticks since boot

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid=pid, started=_start_ticks(pid) or 0)

    def running(self) -> bool:
        """Whether it is there and no zombie. One of several threads may be: what it holds open goes with the last."""
        return _start_ticks(self.pid) == self.started and (_state(self.pid) not in ("Z", "X") or _threads(self.pid) > 1)

    def paused(self) -> bool:
        """Whether SIGSTOP holds it."""
        return self.running() and _state(self.pid) == "T"

    def send(self, signum: signal.Signals) -> bool:
        """Signal it; False where it is gone already."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if _start_ticks(self.pid) != self.started:
                return False
            signal.pidfd_send_signal(handle, signum)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)


class Commands:
    """Starts commands for one run.

    `label` is the run's id; `recorder` gets one fact per command, unless it is `quiet` (a poll, say).
    """

    def __init__(self, recorder: Recorder, *, label: str) -> None:
        self.recorder = recorder
        self.label = label

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**handed_on(), **(extra or {}), LABEL: self.label}

    def _of_caller(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        """For a command that is waited for: it ends with whoever waits, and not with the stack that it is about."""
        return {**self.environment(extra), LABEL: os.environ.get(LABEL) or self.label}

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        within: timedelta = timedelta(seconds=60),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: str | None = None,
        check: bool = True,
        quiet: bool = False,
        hint: str = "run the printed command by hand; its log is in the run's folder",
    ) -> Done:
        """Run to the end and return what it printed.

        Errors: `CommandFailed` when it did not end in time, could not start, or (with `check`) exited other than 0.
        """
        words = tuple(str(word) for word in argv)
        begin = clock.mono()
        try:
            with subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=self._of_caller(env),
                cwd=cwd,
                start_new_session=True,
            ) as child:
                try:
                    out, err = child.communicate(stdin, timeout=within.total_seconds())
                except BaseException:  # not in time, or the run is stopped: what the command has started ends with it
                    with suppress(ProcessLookupError):
                        os.killpg(child.pid, signal.SIGKILL)
                    raise
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{' '.join(words)}: not done within {within.total_seconds():g} s", hint=hint) from None
        except OSError as error:
            raise CommandFailed(f"{words[0]}: {error.strerror}", hint="run `drdrill doctor`") from None
        done = Done(words, child.returncode, out, err, clock.since(begin))
        if not quiet:
            self.recorder.record(
                "command",
                argv=list(words),
                exit=done.exit,
                seconds=done.length.total_seconds(),
                out=_tail(done.out),
                err=_tail(done.err),
            )
        if check and not done.ok:
            said = (done.err or done.out).strip().splitlines()
            raise CommandFailed(f"{words[0]} exited {done.exit}: {said[-1] if said else 'without a word'}", hint=hint)
        return done

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        piped: bool = False,
        part: bool = True,
        keep: Callable[[Process], object] = bool,
    ) -> Process:
        """Start a process of long life, in a session of its own, its output appended to `log`.

        `piped`: another process writes the log, so that no limit on the size of files, which what is started may be
        under, reaches it. That one ends when nobody is left who could say something. `part`: it is a part of a stack,
        and outlives whoever has started it until the stack is removed. `keep` writes down where it is found again, and
        before it is recorded: of a run that is killed in between there is no process that nobody knows.
        """
        words = [str(word) for word in argv]
        log.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as ours:
            sink: IO[bytes] = ours.enter_context(log.open("ab"))
            try:
                mark = {PART: f"{self.label}/{UNNAMED}"} if part else {}
                if piped:
                    writer = self._child(["cat"], stdin=subprocess.PIPE, stdout=sink, env=self.environment(mark))
                    assert writer.stdin is not None
                    sink = ours.enter_context(writer.stdin)
                environment = self.environment({**mark, **(env or {})})
                child = self._child(words, stdin=subprocess.DEVNULL, stdout=sink, env=environment, cwd=cwd)
            except OSError as error:
                raise CommandFailed(f"{words[0]}: {error.strerror}", hint="run `drdrill doctor`") from None
        process = Process.of(child.pid)
        keep(process)
        self.recorder.record("process", argv=words, pid=process.pid, started=process.started, log=log.name)
        return process

    @staticmethod
    def _child(words: Sequence[str], **given: Any) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(words, stderr=subprocess.STDOUT, start_new_session=True, **given)
        _children[child.pid] = child
        return child


def _tail(said: str) -> str:
    """The last of it, from a line's beginning on: what is to be masked in it is known by its beginning."""
    rest = said[-TAIL:]
    return rest if len(said) <= TAIL else rest.partition("\n")[2] or rest


_children: dict[int, subprocess.Popen[bytes]] = {}  # so that ended children are reaped, and not warned about


def reap() -> None:
    """Collect the exit codes of children that have ended."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)  # another thread may have been faster


def labelled(label: str) -> list[Process]:
    """Every process of this machine that carries the label `DRDRILL_RUN=<label>` and that we may see."""
    want = f"{LABEL}={label}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        process = Process.of(int(entry.name))
        try:
            if want in (entry / "environ").read_bytes().split(b"\0") and process.running():
                found.append(process)
        except OSError:
            continue
    return found


def _is_part(process: Process) -> bool:
    try:
        words = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.startswith(f"{PART}=".encode()) for word in words)


def with_descendants(roots: Sequence[Process]) -> list[Process]:
    """The processes, and all that descend from them, but for ourselves.

    A server may overwrite its environment, as a database does, and carry no label then.
    """
    if not roots:
        return []
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = {process.pid: process for process in roots}
    todo = list(found)
    while todo:
        for pid in children.get(todo.pop(), []):
            process = Process.of(pid)
            if pid not in found and pid != os.getpid() and process.running():
                found[pid] = process
                todo.append(pid)
    return list(found.values())


def end_left(label: str, *, grace: timedelta = timedelta(seconds=2)) -> int:
    """End what still carries the label after `grace`, but for this process and those that it descends from; how many.

    For whoever has it, too, and has just stopped what he had started.
    """
    ours = _ancestors()

    def left() -> list[Process]:
        reap()
        roots = [process for process in labelled(label) if process.pid not in ours]
        return [process for process in with_descendants(roots) if process.pid not in ours]

    stay = wait.poll(left, within=grace, every=timedelta(milliseconds=50), enough=operator.not_)
    return sum(process.send(signal.SIGKILL) for process in stay)


def _ancestors() -> set[int]:
    """This process, its parent, and so on, as far as they can be seen."""
    found, pid = set(), os.getpid()
    while pid and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def end_labelled(label: str, *, within: timedelta = timedelta(seconds=15), but_parts: bool = False) -> int:
    """End, by SIGKILL, everything that carries the label, and what descends from it; returns how many were ended.

    A frozen child that has lost its parent would stay for ever, and carries no label any more. Repeats until none is
    left, since a process may fork while it is looked for. `but_parts`: what a stack is made of stays, so that it can
    still be healed.
    Errors: `DrillError` when something is still there after `within`.
    """
    ended = 0

    def left() -> list[Process]:
        nonlocal ended
        found = with_descendants(labelled(label))
        if but_parts:
            stay = {process.pid for process in with_descendants([each for each in found if _is_part(each)])}
            found = [process for process in found if process.pid not in stay]
        ended += sum(process.send(signal.SIGKILL) for process in found)
        reap()
        return found

    stay = wait.poll(left, within=within, every=timedelta(milliseconds=50), enough=operator.not_)
    if stay:
        raise DrillError(
            f"processes of run {label} will not end: {', '.join(str(p.pid) for p in stay)}",
            hint="look at them with `ps`, end them by pid, then run `drdrill heal` again",
        )
    return ended


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "X"


def _threads(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[17]) if fields else 0


def _start_ticks(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[19]) if fields else None
