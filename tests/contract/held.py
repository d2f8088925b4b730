"""A stack of a kind that runs for tests, held by a process of its own, and nothing of it left at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from harness.evidence.run_folder import temporary_prefix
from harness.stacks import kinds
from harness.stacks.docker import engine
from harness.stacks.local.sandbox import join_argv
from harness.system import wait
from harness.system.command import LABEL, labelled
from harness.system.recorder import Memory
from tests.contract import scenes

START_LIMIT = timedelta(seconds=120)
LOGS_ALONE = {".log"}


@dataclass(frozen=True)
class Held:
    """A stack that runs, and the process that holds it."""

    kind: str
    folder: Path
    label: str
    level: str | None
    holder: subprocess.Popen[bytes]

    def play(self, scene: str) -> None:
        """Run a scene where the stack stands, in a process of its own."""
        self.run("tests.contract.scenes", scene, self.kind, str(self.folder), self.label)

    def run(self, module: str, *given: str) -> str:
        """Run a module where the stack stands, in a process of its own; it must end well. Returns what it said."""
        words = [sys.executable, "-m", module, *given]
        sandbox = (self.folder / scenes.READY).read_text()
        inside = (
            join_argv(int(sandbox), words) if sandbox else kinds.named(self.kind).maker.way_in(words, level=self.level)
        )
        ended = subprocess.run(inside, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr + self._logs()
        return ended.stdout

    def _logs(self) -> str:
        """What the databases' managers said last, since the folder is removed with the test."""
        logs = sorted((self.folder / "stack" / "logs").glob("patroni-*.log"))
        return "".join(f"\n== {log.name}\n{log.read_text()[-2500:]}" for log in logs)

    def left(self) -> list[str]:
        """What still runs and carries the label: processes, containers, networks, volumes."""
        found = [Path(f"/proc/{process.pid}/cmdline").read_bytes().decode() for process in labelled(self.label)]
        return found + [f"run {run}" for run in (engine.runs() if self.kind == "docker" else ()) if run == self.label]


@contextmanager
def held(kind: str, *, on: str | None = None, outer: Sequence[str] = (), regions: int = 1) -> Iterator[Held]:
    """A stack of a kind (`on` a level of the embedded one); `outer` are words before the whole command."""
    folder, label = Path(tempfile.mkdtemp(prefix="stack-test-")), f"test-{uuid.uuid4().hex[:8]}"
    words = [sys.executable, "-m", "tests.contract.scenes", "hold", kind, str(folder), label, str(regions)]
    with (folder / "hold.out").open("wb") as log:
        holder = subprocess.Popen(
            [*outer, *kinds.named(kind).maker.way_in(words, level=on)],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, LABEL: label},
        )
    found = Held(kind, folder, label, on, holder)
    try:
        wait.until(
            lambda: (folder / scenes.READY).exists() or holder.poll() is not None,
            what="the stack is ready",
            within=START_LIMIT,
            recorder=Memory(),
        )
        assert (folder / scenes.READY).exists(), (folder / "hold.out").read_text()[-3000:]
        yield found
        holder.send_signal(signal.SIGTERM)
        holder.wait(timeout=60)
        assert not (left := found.left()), (left, (folder / "hold.out").read_text())
        left = [path for path in (folder / "stack").rglob("*") if path.is_file()]
        assert {path.suffix for path in left} == LOGS_ALONE, left
        assert not list(Path("/tmp").glob(f"{temporary_prefix(label)}*"))
    finally:
        holder.kill()
        holder.wait()
        kinds.named(kind).maker.remove_left(label, folder / "stack")
        shutil.rmtree(folder)
