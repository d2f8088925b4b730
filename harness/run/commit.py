"""Which commit of this project runs, and whether the code is as that commit has it: asked of git, where git knows.

Another project's commit must never be named: where this one lies inside another repository, or git cannot be asked,
the commit is unknown, and what is unknown is not clean.
"""

from __future__ import annotations

from pathlib import Path

from harness.system.command import CommandFailed, Commands
from harness.system.environment import home
from harness.system.recorder import Memory

ROOT = Path(__file__).parents[2]
CODE = ("harness", "drills", "reports", "features")  # a file in one of these runs, whether git heeds it or not
UNKNOWN = ("unknown", False)
CACHE = "__pycache__"
# No program that a user has told git to ask is started; HOME is theirs, for `safe.directory`.
PLAIN = ("-c", "core.fsmonitor=false")


def code_state(root: Path = ROOT) -> tuple[str, bool]:
    """The commit, and whether nothing differs from it; ("unknown", False) where this is no repository of its own."""
    try:
        said = _git(root, "rev-parse", "--show-toplevel", "HEAD").splitlines()
        _git(root, "ls-files", "--error-unmatch", "--", "harness/run/commit.py")
        changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--ignore-submodules=none")
        extra = _git(root, "status", "--porcelain", "--untracked-files=all", "--ignored", "--", *CODE)
    except CommandFailed:  # no git, no repository, somebody else's, or one of another owner
        return UNKNOWN
    if len(said) != 2 or Path(said[0]).resolve() != root.resolve():
        return UNKNOWN
    different = [line for line in (changed + extra).splitlines() if CACHE not in line]
    return said[1], not different


def _git(root: Path, *words: str) -> str:
    """What it prints. Errors: `CommandFailed`, also where there is no git."""
    return Commands(Memory(), label="").run(["git", "-C", root, *PLAIN, *words], env={"HOME": str(home())}).out
