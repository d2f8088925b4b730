"""One component of a container stack: a container that shares network and process numbers with its zone's pod."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import NotInTime, NotReady
from harness.stacks.docker import engine, limiter
from harness.stacks.docker.engine import PART, RUN, labels, told
from harness.stacks.parts.logs import IN_UTC, last_lines
from harness.system import wait
from harness.system.clock import Moment, around
from harness.system.command import Commands

SOON = timedelta(seconds=10)
OFTEN = timedelta(milliseconds=50)
# For every process that shares the container's files: all that its first process has started, whoever is their parent.
MINE = "mine=$(readlink /proc/self/ns/mnt)"
EACH = f'{MINE}; for one in /proc/[0-9]*; do [ "$(readlink $one/ns/mnt)" = "$mine" ] || continue; pid=${{one#/proc/}}'
FULL = 8192  # bytes: a page of the database, so that what is there can be changed in place at best
INTO_LOG = 'log=$1; shift; exec "$@" >>"$log" 2>&1'


@dataclass(frozen=True)
class Surroundings:
    """What every container of a run shares: the image, and what is mounted."""

    image: str
    volumes: Mapping[str, Mapping[str, str]]  # as Docker's library takes them: source to `bind` and `mode`


def make(
    commands: Commands, around: Surroundings, *, name: str, zone: str, argv: Sequence[str], user: str = "0",
    env: Mapping[str, str] | None = None, volumes: Mapping[str, Mapping[str, str]] | None = None, **more: Any,
) -> Any:  # fmt: skip  # parameters in groups
    """Make a container of the run and start it."""
    from docker.types import Mount  # noqa: PLC0415  (see engine)

    mounts = [
        Mount(one["bind"], source, type="bind", read_only=one["mode"] == "ro")
        for source, one in {**around.volumes, **(volumes or {})}.items()
    ]
    with told(f"starting {name}"):
        made: Any = engine.engine().containers.run
        return made(
            around.image, list(argv), name=f"{commands.label}-{name}", labels=labels(commands.label, name, zone),
            user=user, environment=dict(env or {}), mounts=mounts, detach=True,
            use_config_proxy=False, **more,
        )  # fmt: skip  # arguments in groups


class ContainerUnit:
    """Fills `Unit`: start, stop, kill, pause, resume. Found by its labels, so any process can go on with it."""

    def __init__(
        self,
        commands: Commands,
        around: Surroundings,
        *,
        name: str,
        zone: str,
        pod: Callable[[], str],
        log: Path,
        argv: Callable[[], Sequence[str]],
        env: Callable[[], Mapping[str, str]],
        user: str,
        stop_within: timedelta = SOON,
        volumes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.name = name
        self.zone = zone
        self._commands = commands
        self._around = around
        self._pod = pod
        self._log = log
        self._argv = argv
        self._env = env
        self._user = user
        self._stop_within = stop_within
        self._volumes = volumes or {}

    @property
    def log(self) -> Path:
        return self._log

    @property
    def container(self) -> Any | None:
        """The container, running or not; None where there is none."""
        filters: dict[str, Any] = {"label": [f"{RUN}={self._commands.label}", f"{PART}={self.name}"]}
        with told(f"looking at {self.name}"):
            found = engine.engine().containers.list(all=True, filters=filters, ignore_removed=True)
        return found[0] if found else None

    def start(self) -> None:
        """Start it; harmless where it runs. It is not waited for."""
        left = self.container
        if left is not None:
            if left.status in ("running", "paused"):
                return
            left.remove(force=True, v=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self._own_log()
        argv, pod = list(self._argv()), self._pod()
        made = make(
            self._commands, self._around, name=self.name, zone=self.zone, user=self._user,
            env={**IN_UTC, **self._env()},
            argv=["sh", "-c", INTO_LOG, "sh", str(self._log), *argv],
            network_mode=f"container:{pod}", pid_mode=f"container:{pod}", volumes=self._volumes,
        )  # fmt: skip  # arguments in groups
        self._commands.recorder.record("container", argv=argv, id=made.id, log=self._log.name)

    def running(self) -> bool:
        found = self.container
        return found is not None and found.status in ("running", "paused")

    def alive(self) -> bool:
        """Nothing in a container outlives its first process."""
        return self.running()

    def stop(self) -> None:
        """Ask it to end, and end by force what does not."""
        self.ask_to_stop()
        self.wait_stopped()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return, so that several can end at once."""
        self._send(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait until it has ended, by force when it takes too long."""
        try:
            wait.until(
                lambda: not self.running(), what=f"{self.name} ends", within=self._stop_within,
                recorder=self._commands.recorder, every=OFTEN,
            )  # fmt: skip  # arguments in groups
        except NotInTime:
            self._send(signal.SIGKILL)
        self.kill()

    def kill(self) -> Moment | None:
        """SIGKILL all of it, and remove what is left of it."""
        found, moment = self.container, None
        if found is not None:
            with told(f"killing {self.name}"):
                if found.status == "running":
                    moment = engine.killed(found)
                found.remove(force=True, v=True)
        return moment

    def pause(self) -> Moment | None:
        """Freeze every process of it; its ports stay open."""
        if (found := self.container) is None or found.status != "running":
            return None
        with told(f"pausing {self.name}"):
            return around(found.pause, by="the engine, which was told to freeze it, and said that it was frozen")

    def resume(self) -> Moment | None:
        if (found := self.container) is None or found.status != "paused":
            return None
        with told(f"resuming {self.name}"):
            return around(found.unpause, by="the engine, which was told to let it go on, and said that it did")

    def ended(self) -> int | None:
        """By the engine's own word, which is of this machine's clock of the day."""
        if (found := self.container) is None or found.status in ("running", "paused"):
            return None
        with told(f"looking at {self.name}"):
            found.reload()
        return engine.mono_of(str(found.attrs["State"]["FinishedAt"]))

    def freeze_first(self) -> None:
        """SIGSTOP to its first process alone. Harmless when repeated."""
        self._send(signal.SIGSTOP)

    def thaw_first(self) -> None:
        """Harmless where it is not frozen."""
        self._send(signal.SIGCONT)

    def fill(self) -> Moment | None:
        """SIMULATED: not a full disk, but a limit on the size of files (RLIMIT_FSIZE, the soft one). PostgreSQL takes
        both alike: the write fails."""
        return self._limit(str(FULL))

    def free(self) -> Moment | None:
        """Harmless where it has room."""
        return self._limit("unlimited")

    def full(self) -> bool:
        """Whether its first process, and so all that it starts from now on, is limited."""
        if (found := self.container) is None or found.status != "running":
            return False
        script = f"{EACH}; prlimit --pid $pid --fsize --raw --noheadings --output SOFT 2>/dev/null || true; done"
        said = engine.execute(found.id, ["sh", "-ec", script], what=f"looking at the files of {self.name}")
        return str(FULL) in said.split()

    def _limit(self, size: str) -> Moment | None:
        if (found := self.container) is None or found.status != "running":
            return None
        return engine.told_when(found.id, limiter.__file__, [size], what=f"limiting the files of {self.name}")

    def must_run(self) -> None:
        """Errors: `NotReady` with its last words, when it has ended."""
        if not self.running():
            raise NotReady(f"{self.name} has ended: {last_lines(self.log)}", hint=f"read {self.log}")

    def _send(self, signum: signal.Signals) -> None:
        found = self.container
        if found is not None and found.status == "running":
            with told(f"signalling {self.name}"):
                found.kill(signal=signum.name)

    def _own_log(self) -> None:
        if os.geteuid() == 0 and self._user.split(":")[0] != "0":
            os.chown(self._log, int(self._user.split(":")[0]), -1)
