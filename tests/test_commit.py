"""The commit in a pack is this project's own, or unknown; and clean means that nothing else can have run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.run.commit import UNKNOWN, State, machine_state, project_state
from harness.system.command import Commands
from harness.system.recorder import Memory


def git(at: Path, *words: str) -> str:
    """As another person, with a git of its own."""
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return Commands(Memory(), label="").run(["git", "-C", at, *who, *words]).out.strip()


def state(folder: Path) -> State:
    """Of a machine and of a project that lie in one folder: both, where they are the same, else the machine's."""
    machine, project = machine_state(folder), of_project(folder)
    return machine if machine == project or None in machine else State(machine.commit, None)


def of_project(folder: Path) -> State:
    """Of a project with the usual parts."""
    return project_state(folder, [folder / "drills", folder / "features"])


def write(folder: Path) -> Path:
    """A small project, of which one file must be known to git."""
    for name in ("harness/run/commit.py", "drills/steps/one.py", "README.md", "project.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")
    (folder / ".gitignore").write_text("__pycache__/\n*.local.py\nevidence/\n")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Committed, in a repository of its own."""
    folder = write(tmp_path / "project")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


def test_a_checkout_knows_its_commit(project: Path) -> None:
    """Clean with caches and evidence in it, and also by way of a link."""
    (project / "harness" / "__pycache__").mkdir()
    (project / "harness" / "__pycache__" / "code_state.pyc").touch()
    (project / "evidence").mkdir()
    (project / "evidence" / "x.py").touch()
    link = project.with_name("link")
    link.symlink_to(project)
    assert state(project) == state(link) == (git(project, "rev-parse", "HEAD"), True)


@pytest.mark.parametrize(
    ("name", "machine"),
    [("drills/steps/one.py", False), ("README.md", False), ("harness/new.py", False), ("drills/mine.local.py", True)],
)
def test_whatever_differs_is_not_clean(project: Path, name: str, *, machine: bool) -> None:
    """Changed, new, and new where git has been told to look away: there only of whose code it is."""
    (project / name).write_text("x = 2\n")
    commit = git(project, "rev-parse", "HEAD")
    assert (machine_state(project), of_project(project)) == (State(commit, machine), State(commit, False))


def test_machine_and_project_are_told_apart(project: Path, tmp_path: Path) -> None:
    """Each has a repository of its own, and what differs in one says nothing of the other."""
    machine = write(tmp_path / "machine")
    git(machine, "init", "-q")
    git(machine, "add", ".")
    git(machine, "commit", "-qm", "machine")
    ours, theirs = git(machine, "rev-parse", "HEAD"), git(project, "rev-parse", "HEAD")
    assert (machine_state(machine), of_project(project)) == (State(ours, True), State(theirs, True)) and ours != theirs
    (project / "drills" / "mine.local.py").touch()
    assert (machine_state(machine), of_project(project)) == (State(ours, True), State(theirs, False))
    shutil.rmtree(project / ".git")
    assert (machine_state(machine), of_project(project)) == (State(ours, True), UNKNOWN)


def test_a_project_inside_the_machines_repository_is_of_its_commit(project: Path) -> None:
    """What else lies in that repository counts, too; one that the repository does not know is of no commit."""
    inner = project / "tests" / "inner"
    (inner / "drills").mkdir(parents=True)
    (inner / "drills" / "one.py").touch()
    (inner / "project.yaml").touch()
    assert of_project(inner) == UNKNOWN
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    assert of_project(inner) == (git(project, "rev-parse", "HEAD"), True)
    (inner / "drills" / "two.local.py").touch()
    assert not of_project(inner).clean
    (inner / "drills" / "two.local.py").unlink()
    (project / "README.md").write_text("x = 2\n")
    assert not of_project(inner).clean


@pytest.mark.parametrize("how", ["tracked", "ignored", "new"])
def test_a_project_inside_another_repository_is_unknown(tmp_path: Path, how: str) -> None:
    """Whatever the other one thinks of it: its commit says nothing about this code."""
    outer = tmp_path / "outer"
    inner = write(outer / "vendor" / "drills")
    (outer / ".gitignore").write_text("vendor/\n" if how == "ignored" else "")
    git(outer, "init", "-q")
    git(outer, "add", "." if how == "tracked" else ".gitignore")
    git(outer, "commit", "-qm", "other")
    assert machine_state(inner) == UNKNOWN


def test_a_repository_that_does_not_hold_the_code_is_unknown(tmp_path: Path) -> None:
    """Somebody's own repository around an unpacked archive."""
    folder = write(tmp_path / "unpacked")
    git(folder, "init", "-q")
    assert state(folder) == of_project(folder) == UNKNOWN
    git(folder, "add", "README.md")
    git(folder, "commit", "-qm", "notes")
    assert state(folder) == of_project(folder) == UNKNOWN


def test_variables_of_git_name_no_other_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook of another repository, where git itself sets them."""
    wanted = state(project)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(project))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    assert wanted[1] and state(project) == wanted
    shutil.rmtree(project / ".git")
    assert state(project) == UNKNOWN


@pytest.mark.parametrize("says", ["", "fatal: detected dubious ownership in repository at '/x'"])
def test_git_that_is_not_there_or_refuses_is_unknown(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    """No git at all, and one that does not trust the owner of the folder."""
    tools = tmp_path / "tools"
    tools.mkdir()
    if says:
        (tools / "git").write_text(f'#!/bin/sh\necho "{says}" >&2\nexit 128\n')
        (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    assert state(project) == UNKNOWN


def test_the_users_own_trust_in_a_folder_is_asked(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`safe.directory` stands in a file of the home folder; a program named there is not started."""
    ran = tmp_path / "ran"
    (tmp_path / "hook").write_text(f"#!/bin/sh\ntouch {ran}\n")
    (tmp_path / "hook").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[core]\n\tfsmonitor = {tmp_path / 'hook'}\n[status]\n\tshowUntrackedFiles = no\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    said = subprocess.run(
        ["git", "config", "--get", "core.fsmonitor"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert said.stdout.strip() == str(tmp_path / "hook")
    (project / "harness" / "new.py").touch()
    assert machine_state(project).clean is False and not ran.exists()
