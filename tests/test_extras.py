"""The machine without what its own stacks stand on, as its wheel is installed: what works then, and what says so."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.stacks import extras
from harness.stacks.docker.extra import EXTRA as DOCKER
from harness.stacks.extras import Extra
from harness.stacks.local.extra import EXTRA as LOCAL
from tests import warm
from tests.test_house import HOME, PYPROJECT

OPTIONAL = PYPROJECT["project"]["optional-dependencies"]
LOCUST = {"flask", "flask_cors"}  # stands on them, too
EVERYTHING = sorted({name for extra in (LOCAL, DOCKER) for name in (*extra.modules, "barman")} - LOCUST)
PROJECT = ("--project", str(HOME))


def without(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command in a Python that has none of them."""
    env = {"PYTHONPATH": str(HOME), "PATH": "/usr/bin:/bin", "DRDRILL_KEY": str(folder / "key.pem")}
    return warm.python("tests.without", ",".join(EVERYTHING), *words, cwd=folder, env=env)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sealed pack."""
    folder = tmp_path_factory.mktemp("evidence")
    shutil.unpack_archive(sorted((HOME / "tests" / "packs").glob("*.tar.xz"))[-1], folder)
    return folder


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--version",), 0),
        (("verify", "PACK"), 2),  # no key was named
        (("verify", "PACK", "--judge"), 2),
        (("compare", "PACK", "PACK"), 3),  # it is the same
        ((*PROJECT, "calendar", "--evidence", "EVIDENCE"), 0),
        ((*PROJECT, "gate", "--evidence", "EVIDENCE"), 1),
        ((*PROJECT, "history", "--evidence", "EVIDENCE"), 0),
        ((*PROJECT, "list"), 0),
        ((*PROJECT, "run", "monthly", "--dry-run"), 0),
        ((*PROJECT, "run", "monthly", "--dry-run", "--stack", "docker"), 0),
        (("heal",), 0),
        (("stop", "--help"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_core_needs_nothing_that_stacks_stand_on(
    evidence: Path, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    """Verify, report, judge, calendar, gate, list and the plan of a run."""
    (pack,) = evidence.iterdir()
    meant = {"PACK": str(pack), "EVIDENCE": str(evidence)}
    done = without(tmp_path, *(meant.get(word, word) for word in words))
    assert "itself failed" not in done.stderr and "No module named" not in done.stderr
    assert done.returncode == code, done.stdout + done.stderr


def test_the_core_builds_reports(evidence: Path, tmp_path: Path) -> None:
    """The same as sealed, or those of newer code."""
    (pack,) = evidence.iterdir()
    done = without(tmp_path, "report", pack, "--into", "reports")
    assert done.returncode in (0, 2) and not done.stderr, done.stdout + done.stderr
    assert (tmp_path / "reports" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("run", "monthly", "--evidence", "e"), "embedded"),
        (("run", "monthly", "--evidence", "e", "--stack", "docker"), "docker"),
        (("prove", "monthly", "--evidence", "e"), "embedded"),
        (("stack", "up", "--evidence", "e"), "embedded"),
        (("sweep",), "docker"),
        (("stack", "image"), "docker"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_stack_without_its_extra_is_one_error(tmp_path: Path, words: tuple[str, ...], extra: str) -> None:
    """Refused before anything is made, with the command that installs it."""
    done = without(tmp_path, *PROJECT, *words)
    assert done.returncode == 3, done.stdout + done.stderr
    error, hint = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "HINT: "))]
    assert "not installed" in error and f"pip install 'drdrill[{extra}]'" in hint
    assert not list(tmp_path.rglob("*.unfinished"))


def test_barman_comes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only it is missing, the hint is what installs it, without what it asks for."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "barman" else sys)
    with pytest.raises(Refused, match="not installed: barman") as found:
        LOCAL.must_be_installed()
    assert found.value.hint == "pip install --no-deps barman; in a clone: bin/set-up"
    DOCKER.must_be_installed()


@pytest.mark.parametrize("extra", [LOCAL, DOCKER], ids=lambda extra: extra.name)
def test_the_modules_of_an_extra_are_its_packages(extra: Extra) -> None:
    """What is looked for is what pyproject.toml installs, one module each; Barman comes without it."""
    named = [re.match(r"[A-Za-z0-9_-]+", line) for line in OPTIONAL[extra.name]]
    packages = {name[0].lower() for name in named if name}
    of_modules = packages_distributions()
    found = {name: {each.lower() for each in of_modules[name]} for name in extra.modules}
    assert {name for name, each in found.items() if not each & packages} == set()
    assert {package for package in packages if not any(package in each for each in found.values())} == set()
