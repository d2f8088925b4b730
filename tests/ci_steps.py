"""The action for GitHub and the component for GitLab, run step by step in bash, with the environment that these give.

What only their own runners can do is left out: fetching an action, keeping an artifact. `uses` steps are written down.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.test_house import HOME

ACTION: dict[str, Any] = yaml.safe_load((HOME / "action.yml").read_text())
HEAD, BODY = yaml.safe_load_all((HOME / "templates" / "drill" / "template.yml").read_text())
INPUTS: dict[str, Any] = HEAD["spec"]["inputs"]
((JOB_NAME, JOB),) = BODY.items()
LINK = "https://ci.example.com/runs/7"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")  # as GitHub calls it


@dataclass
class Ended:
    """A job that has ended. `steps`: by name, the exit code of each that ran."""

    steps: dict[str, int] = field(default_factory=dict)
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)  # of the step `report`
    summary: str = ""
    used: dict[str, dict[str, str]] = field(default_factory=dict)  # what `uses` was given

    @property
    def code(self) -> int:
        """That of the first step that failed."""
        return next((code for code in self.steps.values() if code), 0)


@dataclass(frozen=True)
class Runner:
    """`folder` has the workspace; `env`: what is there besides, such as the PATH."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    installed: bool = False  # by an earlier job of this runner: that step is left out

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def out(self) -> Path:
        return self.workspace / "drdrill-out"

    def github(self, **inputs: str) -> Ended:
        """The action, with those inputs."""
        temp, ended, skip = self.folder / "temp", Ended(), False
        for folder in (self.workspace, temp):
            folder.mkdir(parents=True, exist_ok=True)
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        for number, step in enumerate(ACTION["runs"]["steps"]):
            left_out = self.installed and number == 0
            if left_out or (skip and step.get("if") != "always()"):
                continue
            if "uses" in step:
                said = {name: expanded(value, given) for name, value in step["with"].items()}
                ended.used[step["uses"]] = said
                continue
            output, summary, script = (temp / f"{name}-{number}" for name in ("output", "summary", "script.sh"))
            output.touch()
            summary.touch()
            script.write_text(step["run"])
            env = {name: expanded(value, given) for name, value in step["env"].items()}
            env |= {"GITHUB_ACTION_PATH": str(HOME), "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(temp)}
            env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
            code = self._bash([*BASH, str(script)], env, ended)
            ended.steps[step["name"]] = code
            ended.summary += summary.read_text()
            ended.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())
            skip = skip or code != 0
        return ended

    def gitlab(self, variables: Mapping[str, str] | None = None, **inputs: str) -> Ended:
        """The component; `variables`: those of the project, such as secrets."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        given = {name: str(one.get("default", "")) for name, one in INPUTS.items()} | inputs
        env: dict[str, str] = {**(variables or {}), "CI_JOB_URL": LINK}
        for name, value in JOB["variables"].items():
            text = value["value"] if isinstance(value, dict) else value
            env[name] = filled(text, given).replace("$CI_JOB_URL", LINK)
        ended = Ended()
        lines = [*JOB["before_script"], *JOB["script"]]
        ended.steps["script"] = self._bash([*BASH, "-c", "\n".join(lines)], env, ended)
        code = self._bash([*BASH, "-c", "\n".join(JOB["after_script"])], env, ended)
        ended.log += f"after_script: {code}\n"  # which is nobody's business on GitLab
        return ended

    def _bash(self, words: list[str], env: Mapping[str, str], ended: Ended) -> int:
        around = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env}
        done = subprocess.run(
            words, cwd=self.workspace, env={**around, **env}, capture_output=True, text=True, check=False
        )
        ended.log += done.stdout + done.stderr
        return done.returncode


@cache
def expressions() -> list[str]:
    """Those of the action."""
    return re.findall(r"\$\{\{ (.+?) \}\}", (HOME / "action.yml").read_text())


def expanded(text: object, inputs: Mapping[str, str]) -> str:
    """As GitHub does it, as far as the action uses it."""

    def value(found: re.Match[str]) -> str:
        said = found[1]
        if name := re.fullmatch(r"inputs\.([\w-]+)", said):
            return inputs[name[1]]
        assert said.startswith("steps.upload.outputs.artifact-url || "), said
        return LINK

    return re.sub(r"\$\{\{ (.+?) \}\}", value, str(text))


def filled(text: str, inputs: Mapping[str, str]) -> str:
    """As GitLab does it."""
    return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: inputs[found[1]], text)
