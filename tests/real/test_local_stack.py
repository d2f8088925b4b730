"""The embedded stack, for real: about two minutes. Each stack lives in a world of its own, held by a process."""

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

import pytest

from harness import wait
from harness.command import labelled
from harness.folders import temporary_prefix
from harness.recorder import Memory
from harness.stacks.local import remove_local
from harness.stacks.local.world import enter_argv, join_argv, rung
from tests.real import scenes
from tests.real.refusing import refusing_argv

START_LIMIT = timedelta(seconds=120)
LOGS_ALONE = {".log"}


@dataclass(frozen=True)
class Held:
    """A stack that runs, and the process that holds it."""

    folder: Path
    label: str
    rung: str
    holder: subprocess.Popen[bytes]

    def play(self, scene: str) -> None:
        """Run a scene in the stack's world, in a process of its own."""
        words = [sys.executable, "-m", "tests.real.scenes", scene, str(self.folder), self.label]
        world = (self.folder / scenes.READY).read_text()
        inside = join_argv(int(world), words) if world else enter_argv(self.rung, words)
        ended = subprocess.run(inside, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def _commands(label: str) -> list[bytes]:
    """What still runs and carries the label."""
    return [Path(f"/proc/{process.pid}/cmdline").read_bytes() for process in labelled(label)]


@contextmanager
def held(*, on: str, outer: Sequence[str] = ()) -> Iterator[Held]:
    """A stack on a rung; `outer` are words before the whole command. Nothing of it may be left at the end."""
    folder, label = Path(tempfile.mkdtemp(prefix="stack-test-")), f"test-{uuid.uuid4().hex[:8]}"
    words = [sys.executable, "-m", "tests.real.scenes", "hold", str(folder), label]
    with (folder / "hold.out").open("wb") as log:
        holder = subprocess.Popen([*outer, *enter_argv(on, words)], stdout=log, stderr=log, start_new_session=True)
    try:
        wait.until(
            lambda: (folder / scenes.READY).exists() or holder.poll() is not None,
            what="the stack is ready",
            within=START_LIMIT,
            recorder=Memory(),
        )
        assert (folder / scenes.READY).exists(), (folder / "hold.out").read_text()[-3000:]
        yield Held(folder, label, on, holder)
        holder.send_signal(signal.SIGTERM)
        holder.wait(timeout=30)
        assert not _commands(label), (folder / "hold.out").read_text()
        left = [path for path in (folder / "stack").rglob("*") if path.is_file()]
        assert {path.suffix for path in left} == LOGS_ALONE, left
        assert not list(Path("/tmp").glob(f"{temporary_prefix(label)}*"))
    finally:
        holder.kill()
        holder.wait()
        remove_local(label, folder / "stack")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack() -> Iterator[Held]:
    """One stack on the best rung, for the scenes that leave it whole."""
    with held(on=rung().name) as found:
        yield found


def test_it_serves_over_tls_stores_once_and_says_what_is_certain(stack: Held) -> None:
    """A customer's transaction is stored once and can be read back, and every refusal says that nothing is stored."""
    stack.play("serve")


def test_where_no_zone_serves_the_entrance_says_that_nothing_is_stored(stack: Held) -> None:
    """Its own answer counts as a refusal, not as a doubt, and the zones serve again once they are started."""
    stack.play("stop_services")


def test_it_survives_the_death_of_its_leader(stack: Held) -> None:
    """When the leader is killed another zone takes over without a loss, and the old one rejoins."""
    stack.play("lose_leader")


def test_a_restored_database_is_adopted(stack: Held) -> None:
    """A database restored in an empty place is put in service, cloned to the other zones and archived whole."""
    stack.play("adopt")


def test_two_stacks_run_at_the_same_time_one_of_them_where_namespaces_are_refused() -> None:
    """Where the kernel refuses user namespaces the rung found is loopback; its stack serves beside another one."""
    refusing = refusing_argv()
    find = "from harness.stacks.local.world import rung; print(rung().name)"
    found = subprocess.run([*refusing, sys.executable, "-c", find], capture_output=True, text=True, check=False)
    assert found.stdout == "loopback\n", found.stderr
    with held(on="loopback", outer=refusing) as refused, held(on="loopback") as other:
        refused.play("serve")
        other.play("serve")


def test_a_killed_stack_leaves_nothing_that_removal_does_not_end() -> None:
    """After kill -9 of the process that holds a stack, removal ends what is left, and nothing is left."""
    with held(on="loopback") as found:
        holder = found.holder
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        remove_local(found.label, found.folder / "stack")
        assert not _commands(found.label)
