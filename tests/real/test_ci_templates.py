"""The action for GitHub for real: its first step installs drdrill, which drills the smallest projects of the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness.system import wait
from harness.system.recorder import Memory
from tests.ci_steps import ACTION, LINK, Ended, Runner
from tests.test_house import HOME
from tests.webhooks import SECRET, Webhook, webhook

INSTALL, RUN, REPORT, _, TELL = (step["name"] for step in ACTION["runs"]["steps"])
NOTEBOOK, DRILL = str(HOME / "tests" / "projects" / "notebook"), "service-recovery"
ONLY = "--only=The service dies"


@pytest.fixture(scope="module")
def told() -> Iterator[Webhook]:
    with webhook() as listening:
        yield listening


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = ["openssl", "genpkey", "-algorithm", "ed25519"]
    return subprocess.run(made, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory, told: Webhook, key: str) -> tuple[Runner, Ended]:
    """A job of a runner that had nothing: drdrill is installed, and a drill is met."""
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    runner = Runner(tmp_path_factory.mktemp("runner"), {**pip, "DRILL_PYTHON": sys.executable})
    asked = {"drill": DRILL, "project": NOTEBOOK, "nonce": "an-auditors-word", "arguments": ONLY}
    return runner, runner.github(**asked, key=key, notify_url=told.url)


@pytest.fixture
def runner(met: tuple[Runner, Ended], told: Webhook) -> Runner:
    """The same, with drdrill and the packs of earlier jobs; nobody was told of anything yet."""
    told.posted.clear()
    return Runner(met[0].folder, met[0].env, installed=True)


def test_a_drill_that_is_met(met: tuple[Runner, Ended]) -> None:
    """Green, with a sealed pack that verifies by the key of the secret and has the auditor's word."""
    runner, ended = met
    assert ended.code == 0, ended.log
    assert list(ended.steps) == [INSTALL, RUN, REPORT, TELL] and ended.outputs["outcome"] == "MET"
    pack = runner.workspace / ended.outputs["pack"]
    assert ended.summary.startswith("## ✓ MET: Service Recovery\n") and "- nonce: an-auditors-word\n" in ended.summary
    assert pack.name in ended.summary and list(Xml.parse(runner.out / "junit-1.xml").iter("testcase"))
    printed = [line for line in ended.log.splitlines() if line.startswith("verify:")]
    fingerprint = printed[0].rpartition("--key ")[2]
    drdrill = runner.folder / "temp" / "drdrill" / "bin" / "drdrill"
    done = subprocess.run([drdrill, "verify", pack, "--key", fingerprint], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(runner.folder.rglob("key.pem")) == []


def test_a_drill_that_misses_its_objective(runner: Runner, told: Webhook, key: str) -> None:
    """Red by its code; somebody is told which findings, why, and where the evidence is; no other run is."""
    arguments = f"{ONLY}\n--sabotage=keeps-only-the-first"
    ended = runner.github(drill=DRILL, project=NOTEBOOK, arguments=arguments, key=key, notify_url=told.url)
    assert ended.code == ended.steps[RUN] == 1 and ended.outputs["outcome"] == "MISSED", ended.log
    (posted,) = told.posted
    (run,) = posted["runs"]
    assert (posted["outcome"], posted["exit"], posted["evidence"]) == ("MISSED", 1, LINK)
    assert (run["environment"], run["drill"]) == ("embedded", ["Service Recovery"])
    assert run["pack"] == Path(ended.outputs["pack"]).name and len(run["digest"]) == 64
    assert "no-loss" in [one["finding"] for one in run["not_met"] if one["outcome"] == "MISSED" and one["reason"]]
    assert run["sabotage"] == "keeps-only-the-first" and "SABOTAGED on purpose" in posted["text"]
    assert "### Not MET" in ended.summary and ended.outputs["pack"] != "" and SECRET not in ended.log


@pytest.mark.parametrize("stack", ["gone.yaml", "bad.yaml"])
def test_a_stack_file_that_is_refused(runner: Runner, told: Webhook, stack: str) -> None:
    """Nothing was looked at, and somebody is told of that."""
    (runner.workspace / "bad.yaml").write_text("format: 1\n")
    ended = runner.github(drill=DRILL, project=NOTEBOOK, stack=stack, notify_url=told.url)
    assert ended.code == 3 and ended.outputs == {"exit-code": "3", "outcome": "REFUSED", "pack": ""}, ended.log
    (posted,) = told.posted
    assert posted["outcome"] == "REFUSED" and posted["runs"] == [] and stack in posted["text"]
    (error,) = Xml.parse(runner.out / "junit-0.xml").iter("error")
    assert stack in str(error.text) and "no pack came of it" in ended.summary


def test_a_run_that_is_killed(runner: Runner, told: Webhook) -> None:
    """Kill -9 of the step and of drdrill: what was recorded is sealed by the step after it, and somebody is told."""
    venv = str(runner.folder / "temp" / "drdrill")
    env = {"PATH": os.environ["PATH"], "HOME": str(runner.folder), "DRILL_VENV": venv, "DRILL": DRILL}
    env |= {"DRILL_PROJECT": NOTEBOOK, "DRDRILL_NOTIFY_URL": told.url}
    step = subprocess.Popen(
        [HOME / "bin" / "ci" / "run"], cwd=runner.workspace, env=env, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip  # arguments in groups
    wait.until(
        lambda: list(runner.workspace.glob("evidence/*.unfinished/journal.jsonl")),
        within=timedelta(seconds=60),
        what="the run has begun",
        recorder=Memory(),
    )
    (child,) = Path(f"/proc/{step.pid}/task/{step.pid}/children").read_text().split()
    for process in (step.pid, int(child)):
        os.kill(process, signal.SIGKILL)
    step.wait()
    for name in ("report", "notify"):
        done = subprocess.run([HOME / "bin" / "ci" / name], cwd=runner.workspace, env=env, check=False)
        assert done.returncode == 0
    (posted,) = told.posted
    assert (posted["outcome"], posted["exit"]) == ("FAILED", None) and "killed" in posted["text"]
    (run,) = posted["runs"]
    assert run["outcome"] == "UNKNOWN" and len(run["digest"]) == 64
    found = json.loads((runner.workspace / "evidence" / run["pack"] / "findings.json").read_text())
    assert found["verdict"] == "UNKNOWN" and list(runner.workspace.glob("evidence/*.unfinished")) == []
