"""Drills in the CI of others: each step in bash, with stand-ins for pip, and for a drdrill that ends as it is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from reports.notice import Ended as How
from reports.notice import notice
from tests.ci_steps import ACTION, INPUTS, JOB, LINK, Ended, Runner, expressions
from tests.test_house import HOME, text_of
from tests.webhooks import SECRET, webhook

STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
INSTALL, RUN, REPORT, KEEP, TELL = STEPS
SCRIPTS = sorted((HOME / "bin" / "ci").iterdir())

PYTHON = """#!/bin/sh
case "$*" in
    "-c "*) exit ${PYTHON_EXIT:-0} ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$TOOLS/pip" "$3/bin/python" && cp "$TOOLS/fake" "$3/bin/drdrill" ;;
esac
"""
PIP = """#!/bin/sh
echo "pip $*" >>"$TOOLS/calls"
[ -z "${PIP_FAILS:-}" ] || { echo "pip: no such package" >&2; exit 1; }
"""
# It makes a pack where it ends with 0, 1 or 2, and hands what it tells a webhook to the real one.
DRDRILL = """#!/bin/sh
printf '<%s>' "$@" >>"$TOOLS/calls"
echo >>"$TOOLS/calls"
case " $* " in
*" notify "*) exec env PYTHONPATH="$MACHINE" "$REAL" -m harness "$@" ;;
*" report "*) echo "## summary of $2" ;;
*" heal "*)
    mv evidence/2.unfinished evidence/2
    : >evidence/2/pack.dsse.json && echo "<testsuites/>" >evidence/2/junit.xml ;;
*" run "*)
    [ -z "${DRDRILL_NOTIFY_URL:-}" ] || echo "the URL is in reach" >>"$TOOLS/calls"
    [ -z "${DRDRILL_KEY:-}" ] || { stat -c %a "$DRDRILL_KEY"; cat "$DRDRILL_KEY"; } >>"$TOOLS/calls"
    case $FAKE in
    killed) mkdir -p evidence/2.unfinished; kill -9 $PPID; exit ;;
    slow)
        trap 'echo asked to stop >>"$TOOLS/calls"; FAKE=2' TERM
        : >started
        while [ $FAKE = slow ]; do sleep 0.05; done ;;
    nothing-due) exit 0 ;;
    [34]) printf 'error: <there> is no repository\\nHINT: name one\\n' >&2; exit $FAKE ;;
    esac
    mkdir -p evidence/2 && echo "<testsuites/>" >evidence/2/junit.xml && : >evidence/2/pack.dsse.json
    cp "$TOOLS/findings.json" "$TOOLS/journal.jsonl" evidence/2
    exit $FAKE ;;
esac
"""
JOURNAL = '{"seq":0,"utc":"2026-11-02T03:00:00+00:00","mono":1,"kind":"run.begin","data":{"run":"r2","drill":["d"]}}\n'
FINDINGS = '{"v":2,"findings":[],"verdicts":{},"verdict":"%s","rules":"8"}'
VERDICTS = {"0": "MET", "1": "MISSED"}
# git of GitLab's step: the clone is this machine
GIT = """#!/bin/sh
echo "git $*" >>"$TOOLS/calls"
for there; do :; done
mkdir -p "$(dirname "$there")" && ln -s "$MACHINE" "$there"
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A workspace with an old pack, which is of another run."""
    return made(tmp_path, "0")


def made(folder: Path, fake: str, **more: str) -> Runner:
    """One whose drdrill ends with `fake`."""
    tools = folder / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    for name, text in (("python3", PYTHON), ("pip", PIP), ("fake", DRDRILL), ("git", GIT)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tools / "findings.json").write_text(FINDINGS % VERDICTS.get(fake, "UNKNOWN"))
    (tools / "journal.jsonl").write_text(JOURNAL)
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "TOOLS": str(tools), "FAKE": fake, "MACHINE": str(HOME)}
    found = Runner(folder, {**env, "REAL": sys.executable, **more})
    old = found.workspace / "evidence" / "1"
    old.mkdir(parents=True, exist_ok=True)
    (old / "pack.dsse.json").touch()
    (old / "junit.xml").touch()
    os.utime(old / "pack.dsse.json", (1, 1))
    return found


def calls(runner: Runner) -> str:
    return text_of(runner.folder / "tools" / "calls")


def on_both(runner: Runner, url: str) -> dict[str, Ended]:
    """The same job on GitHub and on GitLab."""
    there = made(runner.folder / "lab", runner.env["FAKE"])
    asked = there.gitlab({"DRDRILL_NOTIFY_URL": url}, source="git@example.com:x", ref="v1")
    return {"github": runner.github(notify_url=url), "gitlab": asked}


# What is written


def test_no_shell_reads_what_somebody_has_given() -> None:
    """A step is one script without an expression in it: inputs are variables, and never words of a shell."""
    for name, step in STEPS.items():
        if "run" in step:
            assert re.fullmatch(r'"\$GITHUB_ACTION_PATH/bin/ci/\w+"', step["run"]), name
            assert step["shell"] == "bash"
    for line in (*JOB["before_script"], *JOB["script"], *JOB["after_script"]):
        assert "$[[" not in line and "eval" not in line
    assert all(isinstance(value, str) or value["expand"] is False for value in JOB["variables"].values())


def test_every_input_is_used_and_described() -> None:
    """And every expression is of one that there is."""
    used = {found for text in expressions() for found in re.findall(r"inputs\.([\w-]+)", text)}
    assert used == set(ACTION["inputs"])
    assert all(one["description"] for one in ACTION["inputs"].values())
    text = text_of(HOME / "templates" / "drill" / "template.yml")
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", text)) == set(INPUTS)


def test_the_page_shows_what_there_is() -> None:
    """Its workflow and its include give inputs that there are, and nothing but a drill is in the group of drills."""
    blocks = re.findall(r"```yaml\n(.+?)```", text_of(HOME / "docs" / "ci.md"), re.DOTALL)
    workflow, include, job = map(yaml.safe_load, blocks)
    (drill,) = workflow["jobs"].values()
    (used,) = [step for step in drill["steps"] if step.get("uses", "").startswith("OWNER/drdrill@")]
    assert set(used["with"]) <= set(ACTION["inputs"]) and "concurrency" not in workflow
    assert drill["concurrency"]["cancel-in-progress"] is False and "pull_request" not in workflow[True]
    (component,) = include["include"]
    assert {"source", "ref"} < set(component["inputs"]) <= set(INPUTS)
    assert {name for name, one in INPUTS.items() if "default" not in one} <= set(component["inputs"])
    assert list(job) == [INPUTS["job"]["default"]]


def test_the_page_has_every_field_that_is_posted() -> None:
    """Of a notice, and of a run in it."""
    page = text_of(HOME / "docs" / "ci.md").split("What is posted is JSON")[1].split("## The summary")[0]
    told = notice(How(1, [HOME / "gone"]))
    assert {*told, *told["runs"][0]} - set(re.findall(r"`(\w+)`", page)) <= {"more_not_met"}


def test_what_comes_after_the_run_comes_always() -> None:
    """What a run that could not look has left is kept, and told."""
    assert [name for name, step in STEPS.items() if step.get("if") == "always()"] == [REPORT, KEEP, TELL]
    assert JOB["artifacts"]["when"] == JOB["cache"]["when"] == "always"


def test_a_secret_is_given_to_no_step_but_its_own() -> None:
    """The webhook to the one that tells; the key to those that seal."""
    has = {name: str(step.get("env", {})) for name, step in STEPS.items()}
    assert [name for name, env in has.items() if "notify-url" in env] == [TELL]
    assert [name for name, env in has.items() if "inputs.key" in env] == [RUN, REPORT]


def test_scripts_can_be_run_and_are_plain_sh() -> None:
    """By any sh; all but what they share are programs."""
    assert {path.name for path in SCRIPTS} == {"common.sh", "install", "run", "report", "notify"}
    for path in SCRIPTS:
        assert bool(path.stat().st_mode & 0o111) == (path.suffix == ""), path.name
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


# What becomes of a job


def test_a_run_that_is_met_is_green_and_nobody_is_told(runner: Runner) -> None:
    """Its summary, its JUnit and its evidence are there all the same."""
    with webhook() as told:
        ended = runner.github(notify_url=told.url)
    assert ended.code == 0 and told.posted == [] and len(ended.steps) == 4, ended.log
    assert ended.outputs == {"exit-code": "0", "outcome": "MET", "pack": "evidence/2"}
    assert ended.summary == "## summary of evidence/2\n\n"
    assert (runner.out / "junit-1.xml").is_file()
    (upload,) = ended.used.values()
    assert upload["path"].split() == ["evidence", "drdrill-out"]


@pytest.mark.parametrize(("fake", "outcome"), [("1", "MISSED"), ("2", "UNKNOWN")])
def test_a_run_that_is_not_met_is_red_and_told(tmp_path: Path, fake: str, outcome: str) -> None:
    """With its own exit code, on both; the old pack beside it is none of its."""
    with webhook() as told:
        both = on_both(made(tmp_path, fake), told.url)
    for ended in both.values():
        assert ended.code == int(fake), ended.log
        assert SECRET not in ended.log
    assert both["github"].outputs["outcome"] == outcome
    assert both["github"].steps == {INSTALL: 0, RUN: int(fake), REPORT: 0, TELL: 0}
    assert len(told.posted) == 2
    for posted in told.posted:
        assert (posted["outcome"], posted["exit"], posted["evidence"]) == (outcome, int(fake), LINK)
        assert [run["pack"] for run in posted["runs"]] == ["2"]


@pytest.mark.parametrize(("fake", "outcome"), [("3", "REFUSED"), ("4", "FAILED")])
def test_a_run_that_could_not_look_is_red_and_told(tmp_path: Path, fake: str, outcome: str) -> None:
    """Without a pack: the summary, JUnit and whoever is told have its last words."""
    runner = made(tmp_path, fake)
    with webhook() as told:
        both = on_both(runner, told.url)
    assert {ended.code for ended in both.values()} == {int(fake)}
    assert [(posted["outcome"], posted["runs"]) for posted in told.posted] == [(outcome, [])] * 2
    assert all("is no repository" in posted["text"] for posted in told.posted)
    assert both["github"].outputs == {"exit-code": fake, "outcome": outcome, "pack": ""}
    assert f"## drdrill: {outcome}, and no pack came of it" in both["github"].summary
    assert "\n    error: <there> is no repository" in both["github"].summary
    for out in (runner.out, tmp_path / "lab" / "workspace" / "drdrill-out"):
        (error,) = Xml.parse(out / "junit-0.xml").iter("error")
        assert error.get("type") == outcome and "error: <there> is no repository" in str(error.text)


def test_a_run_that_is_killed_is_healed_sealed_and_told(tmp_path: Path) -> None:
    """Kill -9 of the step itself: the steps after it find the rest."""
    runner = made(tmp_path, "killed")
    with webhook() as told:
        ended = runner.github(notify_url=told.url)
    assert ended.steps[RUN] not in range(5) and ended.steps[REPORT] == 0
    assert ended.outputs == {"exit-code": "none", "outcome": "FAILED", "pack": "evidence/2"}
    assert "<heal><--evidence><evidence>" in calls(runner)
    (posted,) = told.posted
    assert (posted["outcome"], posted["exit"]) == ("FAILED", None) and "killed" in posted["text"]


def test_an_installation_that_fails_is_told_without_drdrill(tmp_path: Path) -> None:
    """Nothing of an earlier job on that runner is taken for this one."""
    runner = made(tmp_path, "1", PIP_FAILS="1")
    runner.out.mkdir(parents=True)
    for name in ("begun", "exit", "said"):
        (runner.out / name).write_text("0\n")
    (runner.folder / "tools" / "fake").unlink()
    (runner.folder / "tools" / "python3").write_text(PYTHON.replace('&& cp "$TOOLS/fake" "$3/bin/drdrill"', ""))
    with webhook() as told:
        ended = runner.github(notify_url=told.url)
    assert ended.steps == {INSTALL: 3, REPORT: 0, TELL: 0} and "pip: no such package" in ended.log
    (posted,) = told.posted
    assert posted["outcome"] == "FAILED" and posted["text"].endswith(f"nothing was looked at. Evidence: {LINK}")
    assert SECRET not in ended.log and ended.outputs["outcome"] == "FAILED"
    assert "no pack came of it" in ended.summary


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    """With what to do, before anything is fetched."""
    ended = made(tmp_path, "0", PYTHON_EXIT="1").github()
    assert ended.steps[INSTALL] == 3 and "HINT: " in ended.log
    assert not (tmp_path / "tools" / "calls").exists()


def test_nothing_due_is_green_and_says_so(tmp_path: Path) -> None:
    """It is no pack, and no error."""
    runner = made(tmp_path, "nothing-due")
    with webhook() as told:
        ended = runner.github(notify_url=told.url)
    assert ended.code == 0 and told.posted == []
    assert "nothing was due" in ended.summary and list(runner.out.glob("junit*")) == []


def test_a_webhook_that_fails_changes_no_verdict(tmp_path: Path) -> None:
    """It is warned of, where people look, and its URL is shown nowhere."""
    with webhook(404) as told:
        ended = made(tmp_path, "1").github(notify_url=told.url)
    assert ended.code == 1 and ended.steps[TELL] == 0
    assert "error: nobody was told of this run: " in ended.log and "::warning title=drdrill::" in ended.log
    assert SECRET not in ended.log
    ended = made(tmp_path, "1").github()
    assert ended.code == 1 and "there is no webhook: nobody is told" in ended.log


# What is given


def test_inputs_become_the_words_of_the_command(runner: Runner) -> None:
    """Each as it is, whatever is in it; of arguments each line is one."""
    nasty = "$(touch hurt) `touch hurt`; touch hurt \"' *"
    given = {"drill": "due", "project": nasty, "stack": "a b.yaml", "nonce": nasty, "arguments": f"--or\n{nasty}\n\n"}
    ended = runner.github(**given)
    words = (
        f"<--project><{nasty}><run><due><--evidence><evidence><--stack><a b.yaml><--nonce><{nasty}><--or><{nasty}>\n"
    )
    assert words in calls(runner) and ended.code == 0
    assert list(runner.folder.rglob("hurt")) == []
    lab = made(runner.folder / "lab", "0")
    lab.gitlab(source="git@example.com:x", ref="v1", **given)
    assert words in calls(lab)
    assert "git clone --quiet --depth 1 --branch v1 -- git@example.com:x .drdrill/source\n" in calls(lab)


def test_extras_are_installed_by_the_tested_versions(runner: Runner) -> None:
    """And what is no name of an extra is refused."""
    assert runner.github(extras="embedded,docker").code == 0
    lines = [line for line in calls(runner).splitlines() if line.startswith("pip ")]
    assert all(f" -c {HOME}/constraints.txt " in line for line in lines) and len(lines) == 3
    assert lines[1].endswith("[embedded,docker]") and lines[2].endswith("--no-deps barman")
    ended = runner.github(extras="x] --index-url y")
    assert ended.steps[INSTALL] == 3 and RUN not in ended.steps


def test_the_key_lies_in_a_file_of_nobody_else_and_goes(runner: Runner) -> None:
    """From a secret's text, or from GitLab's file, which others can read."""
    assert runner.github(key="-----BEGIN\nours").code == 0
    assert "\n600\n-----BEGIN\nours\n" in calls(runner)
    lab = made(runner.folder / "lab", "0")
    given = lab.folder / "file"
    given.write_text("-----BEGIN\ntheirs\n")
    assert lab.gitlab({"DRILL_KEY_FILE": str(given)}, source="x", ref="y").code == 0
    assert "\n600\n-----BEGIN\ntheirs\n" in calls(lab)
    assert list(runner.folder.rglob("*.pem")) == []
    assert lab.gitlab({"DRILL_KEY_FILE": "gone"}, source="x", ref="y").code == 3


def test_a_key_of_a_killed_step_goes_with_the_next(tmp_path: Path) -> None:
    """It lies in no folder that is kept as an artifact."""
    runner = made(tmp_path, "killed")
    runner.github(key="-----BEGIN\nours")
    assert list(tmp_path.rglob("*.pem")) == []


def test_no_drill_has_the_url_of_the_webhook_in_reach(tmp_path: Path) -> None:
    """On GitLab each step has all variables of the project."""
    runner = made(tmp_path, "0")
    runner.gitlab({"DRDRILL_NOTIFY_URL": "https://example.com/x"}, source="x", ref="y")
    assert "<run>" in calls(runner) and "in reach" not in calls(runner)


def test_who_cancels_a_job_asks_drdrill_to_stop(tmp_path: Path) -> None:
    """The step waits until it has healed and sealed, and ends as it does."""
    runner = made(tmp_path, "slow")
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "drdrill").symlink_to(tmp_path / "tools" / "fake")
    env = {**runner.env, "DRILL_VENV": str(venv.parent)}
    step = subprocess.Popen([HOME / "bin" / "ci" / "run"], cwd=runner.workspace, env=env, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not (runner.workspace / "started").exists() and time.monotonic() < end:
        time.sleep(0.05)
    step.send_signal(signal.SIGTERM)
    assert step.wait(20) == 2 and "asked to stop" in calls(runner)
    assert (runner.out / "exit").read_text() == "2\n"
