"""Which commit of the machine runs, and whether the code is as its commit has it: asked of git, where git knows.

Another project's commit must never be named: where the machine lies inside another repository, or git cannot be asked,
the commit is unknown, and what is unknown is not clean. A project that is drilled may lie in the machine's repository
or in one of its own: nothing is clean unless both are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.system.command import CommandFailed, Commands
from harness.system.environment import home
from harness.system.recorder import Memory

ROOT = Path(__file__).parents[2]
CODE = ("harness", "reports")  # a file in one of these runs, whether git heeds it or not
UNKNOWN = ("unknown", False)
CACHE = "__pycache__"
# No program that a user has told git to ask is started; HOME is theirs, for `safe.directory`.
PLAIN = ("-c", "core.fsmonitor=false")


def code_state(project: Path = ROOT, code: Iterable[Path] = (), *, root: Path = ROOT) -> tuple[str, bool]:
    """The machine's commit, and whether nothing differs from it, nor in the project from the project's own.

    `project` is the folder of what is drilled, `code` what of it runs: a new file there counts, whether git heeds it or
    not. ("unknown", False) where the machine's folder is no repository of its own.
    """
    try:
        said = _git(root, "rev-parse", "--show-toplevel", "HEAD").splitlines()
        _git(root, "ls-files", "--error-unmatch", "--", "harness/run/commit.py")
        clean = _is_clean(root, [root / name for name in CODE])
    except CommandFailed:  # no git, no repository, somebody else's, or one of another owner
        return UNKNOWN
    if len(said) != 2 or Path(said[0]).resolve() != root.resolve():
        return UNKNOWN
    try:
        return said[1], clean and _is_clean(project, code)
    except CommandFailed:
        return said[1], False


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
