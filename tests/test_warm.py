"""Commands that are forked from one process are as if each had been started anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm

SAYS = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), sys.path[0], __name__, sys.stdin.read()]))
print("an error", file=sys.stderr)
import colorsys
colorsys.spoiled = getattr(colorsys, "spoiled", 0) + 1
os.environ["LEFT"] = "behind"
os.chdir("/")
sys.exit(colorsys.spoiled + 6)
"""


def test_it_is_what_python_gives(tmp_path: Path) -> None:
    """Arguments, folder, environment, output and exit code; and nothing that one leaves is there for the next."""
    (tmp_path / "says.py").write_text(SAYS)
    argv = ["says", "-x", "a b"]
    env = {"PATH": "/usr/bin", "PYTHONPATH": str(warm.HOME), "A": "ü", "LC_CTYPE": "C.UTF-8"}
    started = subprocess.run(
        [sys.executable, "-m", *argv], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip  # arguments in groups
    for _ in range(2):
        done = warm.python(*argv, cwd=tmp_path, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (7, started.stdout, started.stderr)
        assert done.args == [sys.executable, "-m", *argv]


def test_a_command_that_is_killed_says_so(tmp_path: Path) -> None:
    """As `subprocess` does; and the next one runs."""
    (tmp_path / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert warm.python("dies", cwd=tmp_path).returncode == -9
    (tmp_path / "fails.py").write_text("1 / 0\n")
    failed = warm.python("fails", cwd=tmp_path)
    assert failed.returncode == 1 and failed.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert ", version " in warm.drdrill("--version").stdout


def test_what_python_reads_when_it_begins_is_refused() -> None:
    """It would not be heeded."""
    with pytest.raises(AssertionError, match="PYTHONHASHSEED"):
        warm.python("this", env={"PYTHONHASHSEED": "7"})
