"""What is left in a Docker engine is removed, and what is not ours stays: by `make test-docker`, on a real engine."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import DrillError
from harness.stacks.attached.cutting import Cutter
from harness.stacks.docker import engine, image
from harness.system import wait
from harness.system.command import LABEL, labelled
from harness.system.recorder import Memory

DEAD, ALIVE = (f"test-{word}-{uuid.uuid4().hex[:6]}" for word in ("dead", "alive"))
FOREVER = ["sleep", "600"]
HALF_MADE = 10  # networks, pods, and the first components


@pytest.fixture
def foreign() -> Iterator[list[Any]]:
    """Containers, networks and volumes that are not ours, with names and labels that look alike."""
    client, name = engine.engine(), f"{DEAD}-pod-a"
    made: list[Any] = [
        client.containers.run(image.name(), FOREVER, detach=True, name=f"{name}-of-somebody", init=True),
        client.containers.run(
            image.name(), FOREVER, detach=True, init=True, labels={f"{engine.RUN}.else": DEAD, engine.PART: "pod-a"}
        ),
        client.networks.create(f"{name}-of-somebody", internal=True),
        client.volumes.create(f"{name}-of-somebody"),
    ]
    try:
        yield made
    finally:
        for one in made:
            one.remove(**({"force": True} if hasattr(one, "exec_run") else {}))


def things(run: str) -> list[str]:
    """Everything of a run."""
    client, ours = engine.engine(), {"label": f"{engine.RUN}={run}"}
    found = [*client.containers.list(all=True, filters=ours, ignore_removed=True), *client.networks.list(filters=ours)]
    return [one.name for one in (*found, *client.volumes.list(filters=ours))]


def make(run: str) -> None:
    client, labels = engine.engine(), engine.labels(run, "x")
    net = client.networks.create(f"{run}-net", internal=True, labels=labels)
    client.volumes.create(f"{run}-volume", labels=labels)
    client.containers.run(
        image.name(), FOREVER, detach=True, name=f"{run}-x", labels=labels, network=net.name, init=True
    )
    client.containers.create(image.name(), FOREVER, name=f"{run}-never-started", labels=labels)


@pytest.mark.parametrize("by", ["remove_left", "sweep"])
def test_a_stack_that_was_killed_while_it_started_is_removed(by: str, tmp_path: Path, foreign: list[Any]) -> None:
    """Its networks and some of its containers are there; what it would have made next never comes."""
    label = f"test-{uuid.uuid4().hex[:8]}"
    words = [sys.executable, "-m", "tests.contract.scenes", "hold", "docker", str(tmp_path), label]
    holder = subprocess.Popen(words, env={**os.environ, LABEL: label}, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: len(things(label)) >= HALF_MADE or holder.poll() is not None, "half of it is made")
    finally:
        holder.kill()
        holder.wait()
    _until(lambda: not labelled(label), "the commands of the killed process have ended")
    assert len(things(label)) >= HALF_MADE
    if by == "sweep":
        assert f"{label}: " in drdrill("sweep")
    else:
        words = [sys.executable, "-m", "tests.contract.remove", label, str(tmp_path / "stack")]
        subprocess.run(words, check=True)
    assert things(label) == []
    for one in foreign:
        one.reload()


def _until(condition: Callable[[], bool], what: str) -> None:
    wait.until(condition, what=what, within=timedelta(seconds=60), recorder=Memory())


def drdrill(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "harness", *words], check=True, capture_output=True, text=True).stdout


def test_sweep_removes_what_is_dead_and_ours_and_nothing_else(foreign: list[Any]) -> None:
    """A run that is alive is told by its processes, which carry its id."""
    process = subprocess.Popen(FOREVER, env={LABEL: ALIVE, "PATH": "/usr/bin:/bin"})
    try:
        make(DEAD)
        make(ALIVE)
        said = drdrill("sweep")
        assert f"{DEAD}: 4 containers, networks and volumes removed\n" in said
        assert ALIVE not in said
        assert things(DEAD) == []
        assert len(things(ALIVE)) == 4
        for one in foreign:
            one.reload()
        assert [one.status for one in foreign[:2]] == ["running", "running"]
    finally:
        process.kill()
        process.wait()
        assert f"{ALIVE}: 4 containers" in drdrill("sweep")
        assert things(ALIVE) == []
    assert drdrill("sweep") == "no dead run has left anything\n"


def test_a_helper_beside_what_has_just_died_is_not_left() -> None:
    """It was made, and could not be started: nobody else knows of it."""
    dead = engine.engine().containers.create(image.name(), FOREVER, name=f"{DEAD}-beside")
    beside: Any = SimpleNamespace(id=dead.id)
    try:
        with pytest.raises(DrillError, match="non running container"):
            Cutter({"db": beside}, label=DEAD, helper="").beside("db", ["psql"], env={}, what="asking db beside it")
        assert things(DEAD) == []
    finally:
        dead.remove(force=True)
