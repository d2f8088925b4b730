"""A platform that somebody else made, drilled for real by `make test-docker`: hurt, healed, and left as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.evidence.lines import read
from harness.stacks.attached.containers import PROJECT
from harness.stacks.docker.engine import RUN, engine
from harness.system import wait
from harness.system.command import end_labelled
from tests import tills
from tests.tills import Till

ROOT = Path(__file__).parents[2]
LONG = timedelta(seconds=90)
LIMIT = 300  # seconds, of a command that hangs
SCENARIOS = (
    "One of two services dies", "A service hangs", "The copy of the database is cut off", "Who leads the database dies",
)  # fmt: skip  # a list


@pytest.fixture(scope="module")
def till() -> Iterator[Till]:
    with tempfile.TemporaryDirectory(prefix="till-", dir="/tmp") as folder, tills.standing(Path(folder)) as found:
        yield found


def drdrill(till: Till, *words: object) -> subprocess.CompletedProcess[str]:
    """With a state of its own, so that nothing stays in anybody's home folder."""
    argv = [sys.executable, "-m", "harness", "--project", str(till.folder), *map(str, words)]
    return subprocess.run(
        argv, cwd=till.folder, env=environment(till), capture_output=True, text=True, timeout=LIMIT, check=False
    )  # fmt: skip  # arguments in groups


def environment(till: Till) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(till.folder.parent / "state")}


def containers(till: Till) -> dict[str, str]:
    found = engine().containers.list(all=True, filters={"label": f"{PROJECT}={till.name}"})
    return {str(one.name): str(one.id) for one in found}


def drilled(till: Till, scenario: str) -> tuple[Path, Mapping[str, Any]]:
    """The pack, and the last line of each kind in its journal."""
    words = (
        "run",
        "part-recovery",
        "--only",
        scenario,
        "--stack",
        till.file,
        "--evidence",
        till.folder / "e",
        "--json",
    )
    ended = drdrill(till, *words)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    pack = Path(json.loads(ended.stdout)["pack"])
    return pack, {line.kind: line.data for line in read(pack / "journal.jsonl")}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_is_drilled_and_left_as_it_was(till: Till, scenario: str) -> None:
    """The drill is MET; the platform stands, healed, steady, with the same containers; nothing of the run is left."""
    before = containers(till)
    pack, said = drilled(till, scenario)
    assert said["stack.begin"]["owned"] is False and said["stack.begin"]["kind"] == "attached"
    assert said["run.begin"]["environment"] == "containers" and said["run.begin"]["rate"] == 10.0
    assert said["fault.healed"]["ok"] is True and said["stack.left"]["steady"] is True
    assert said["stack.inventory"]["moment"] == "after" and said["stack.inventory"]["changed"] == []
    assert containers(till) == before and till.serves()
    assert not engine().containers.list(all=True, filters={"label": f"{RUN}={pack.name}"})
    everything = b"".join(path.read_bytes() for path in pack.rglob("*") if path.is_file())
    assert b"word-of-the-drill" not in everything
    assert (pack / "stack.yaml").read_bytes() == till.file.read_bytes()
    verified = drdrill(till, "verify", pack)
    assert "Integrity     MET" in verified.stdout and verified.returncode in (0, 2), verified.stdout


def test_whoever_heals_a_killed_run_finds_what_it_needs(till: Till) -> None:
    """All of the run is killed while a component is dead, and the stack file is gone: its guardian, or `drdrill heal`,
    starts it."""
    before, evidence = containers(till), till.folder / "k"
    words = (
        "--project",
        till.folder,
        "run",
        "part-recovery",
        "--only",
        SCENARIOS[0],
        "--stack",
        till.file,
        "--evidence",
        evidence,
    )
    argv = [sys.executable, "-m", "harness", *map(str, words)]
    with subprocess.Popen(argv, cwd=till.folder, env=environment(till), stdout=subprocess.DEVNULL) as run:
        journal = wait.poll(lambda: list(evidence.glob("*/journal.jsonl")), within=LONG)[0]
        wait.poll(lambda: b"fault.effective" in journal.read_bytes(), within=LONG)
        run.kill()
        end_labelled(journal.parent.name.removesuffix(".unfinished"))
    kept = till.file.read_text()
    till.file.unlink()
    try:
        healed = drdrill(till, "heal", "--evidence", evidence)
    finally:
        till.file.write_text(kept)
    assert healed.returncode == 0, healed.stdout + healed.stderr
    (pack,) = (path for path in evidence.iterdir() if path.is_dir())  # the guardian may have been faster
    (line,) = [line.data for line in read(pack / "journal.jsonl") if line.kind == "fault.healed"]
    assert line["ok"] and till.container("api-a").status == "running" and containers(till) == before


def test_one_for_the_run_is_brought_up_and_taken_down(tmp_path: Path) -> None:
    """By testcontainers: the drill is MET, and nothing of the project is left."""
    made = tills.written(tmp_path, stands="for the run")
    try:
        _, said = drilled(made, SCENARIOS[0])
        assert said["stack.begin"]["owned"] is True and "stack.left" not in said and "stack.end" in said
        assert tills.left(made.name) == []
    finally:
        tills.remove(made.name)


def test_what_is_never_to_be_hurt_is_not(till: Till) -> None:
    """The load balancer of the file: the run ends as refused, and it goes on as it was."""
    feature = till.folder / "features" / "monthly" / "part_recovery.feature"
    feature.write_text(feature.read_text().replace("the component api-a dies", "the component front dies"))
    started = till.container("front").attrs["State"]["StartedAt"]
    words = (
        "run",
        "part-recovery",
        "--only",
        SCENARIOS[0],
        "--stack",
        till.file,
        "--evidence",
        till.folder / "n",
        "--json",
    )
    ended = drdrill(till, *words)
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    lines = list(read(Path(json.loads(ended.stdout)["pack"]) / "journal.jsonl"))
    assert not [line for line in lines if line.kind.startswith("fault.")]
    (end,) = [line.data for line in lines if line.kind == "scenario.end"]
    assert "kill_component would reach front, which is never to be hurt" in end["error"]
    assert till.container("front").attrs["State"]["StartedAt"] == started
