"""Which commit runs, and whether what runs is as that commit has it: asked of git, where git knows.

Of the machine and of the project that is drilled apart: they may lie in one repository or in two. Another project's
commit must never be named: where a folder lies inside a repository that does not know it, or git cannot be asked,
nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from harness.system.command import CommandFailed, Commands
from harness.system.environment import home
from harness.system.recorder import Memory

ROOT = Path(__file__).parents[2]
CODE = ("harness", "reports")  # a file in one of these runs, whether git heeds it or not
CACHE = "__pycache__"
# No program that a user has told git to ask is started; HOME is theirs, for `safe.directory`.
PLAIN = ("-c", "core.fsmonitor=false")


class State(NamedTuple):
    """None: there is no repository, or none that can be asked."""

    commit: str | None
    clean: bool | None  # nothing differs from it


UNKNOWN = State(None, None)


def machine_state(root: Path = ROOT) -> State:
    """Unknown where the machine's folder is no repository of its own."""
    try:
        top, commit = _top_and_commit(root)
        _git(root, "ls-files", "--error-unmatch", "--", "harness/run/commit.py")
        if top.resolve() != root.resolve():
            return UNKNOWN
        return State(commit, _is_clean(root, [root / name for name in CODE]))
    except CommandFailed:  # no git, no repository, somebody else's, or one of another owner
        return UNKNOWN


def project_state(folder: Path, code: Iterable[Path]) -> State:
    """Of a project in `folder`; `code`: what of it runs. A new file there counts, whether git heeds it or not.

    Unknown where the repository that the folder lies in does not know its `project.yaml`.
    """
    try:
        _, commit = _top_and_commit(folder)
        _git(folder, "ls-files", "--error-unmatch", "--", "project.yaml")
        return State(commit, _is_clean(folder, code))
    except CommandFailed:
        return UNKNOWN


def _top_and_commit(folder: Path) -> tuple[Path, str]:
    """Errors: `CommandFailed`, also where nothing is committed yet."""
    top, commit = _git(folder, "rev-parse", "--show-toplevel", "HEAD").splitlines()
    return Path(top), commit


def _is_clean(folder: Path, code: Iterable[Path]) -> bool:
    """Of the whole repository that the folder lies in. Errors: `CommandFailed` where it lies in none."""
    changed = _git(folder, "status", "--porcelain", "--untracked-files=all", "--ignore-submodules=none")
    for part in code:
        changed += _git(
            folder, "status", "--porcelain", "--untracked-files=all", "--ignored", "--", part.relative_to(folder)
        )
    return all(CACHE in line for line in changed.splitlines())


def _git(root: Path, *words: str | Path) -> str:
    """What it prints. Errors: `CommandFailed`, also where there is no git."""
    return Commands(Memory(), label="").run(["git", "-C", root, *PLAIN, *words], env={"HOME": str(home())}).out
