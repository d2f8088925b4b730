"""What this machine can do to an embedded stack beside running it, tried for real: some powers want more than a level.

    python -m harness.stacks.local.probe

inside a sandbox prints what the kernel says of `netem`, and nothing where it has it.
"""

from __future__ import annotations

import subprocess
import sys

from harness.errors import DrillError
from harness.stacks.local.sandbox import PATIENCE, Tried, enter_argv
from harness.stacks.local.slowing import netem_missing
from harness.system.environment import handed_on


def latency(level: str) -> Tried:
    """Links that lose and delay packets, on a level that holds."""
    name = "latency"
    if level == "loopback":
        return Tried(name, ok=False, why="zones are addresses and no networks", lift="a better level, see above")
    words = enter_argv(level, [sys.executable, "-P", "-m", "harness.stacks.local.probe"])
    try:
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, env=handed_on())
    except (subprocess.TimeoutExpired, OSError) as error:
        return Tried(name, ok=False, why=str(error), lift="run `drdrill doctor` again")
    why = (ended.stdout or ended.stderr).strip().splitlines()
    if not why:
        return Tried(name, ok=True, why="", lift="")
    lift = "a kernel with the module sch_netem (`sudo modprobe sch_netem`); bandwidth is limited without it"
    return Tried(name, ok=False, why=f"this kernel has no netem: {why[-1]}", lift=lift)


if __name__ == "__main__":
    try:
        print(netem_missing(), end="")
    except DrillError as error:
        print(error.message)
