"""How long a command takes to start: `python -m benchmarks.start`.

CPU seconds (user and system) of whole commands, each in a process of its own, in turn; beside them stands a yardstick,
Python with nothing to do. The least counts: it has the least of what else the machine does. Bound: 0.3 s for each of
the commands that are called often. What Python keeps of compiled modules is kept, as on every start but the first.
Exit code 1 when a bound is not met.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import machine
from harness.errors import Exit

HOME = Path(__file__).parent.parent
PACKS = HOME / "tests" / "packs"
TURNS = 15
BOUND = 0.3  # s
YARDSTICK = (sys.executable, "-c", "pass")
DRDRILL = (sys.executable, "-m", "harness")
PACK, TWO, HERE = "PACK", "PACKS", "HERE"  # in words: a sealed pack, the folder of both, and this project
ABOUT = ("--project", HERE)
OFTEN = (("--version",), ("verify", PACK), (*ABOUT, "list"), (*ABOUT, "calendar"))
OTHERS = (
    ("--help",),
    (*ABOUT, "calendar", "--evidence", TWO),
    (*ABOUT, "gate", "--evidence", TWO),
    ("verify", PACK, "--judge"),
    ("heal",),
    ("doctor", "--help"),
    ("run", "--help"),
)


def used(words: tuple[str, ...], folder: Path) -> float:
    """CPU seconds of a process. Errors: `SystemExit` where it was refused or failed."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    process = subprocess.Popen(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (Exit.MET, Exit.MISSED, Exit.UNKNOWN):
        raise SystemExit(f"{' '.join(words)}: exit {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    print(f"The start of commands, CPU seconds of {TURNS} starts of each; {machine.facts()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for packed in sorted(PACKS.glob("*.tar.xz")):
            shutil.unpack_archive(packed, folder / "packs")
        places = {HERE: str(HOME), TWO: str(folder / "packs"), PACK: str(min((folder / "packs").iterdir()))}
        commands = {
            f"drdrill {' '.join(words)}": (*DRDRILL, *(places.get(word, word) for word in words))
            for words in (*OFTEN, *OTHERS)
        }
        commands = {"python -c pass": YARDSTICK, **commands}
        for words in commands.values():
            used(words, folder)  # compiles
        seconds: dict[str, list[float]] = {said: [] for said in commands}
        for _ in range(TURNS):
            for said, words in commands.items():
                seconds[said].append(used(words, folder))
    print("                                                       least    median   times python -c pass")
    plain = min(seconds["python -c pass"])
    bounded = {f"drdrill {' '.join(words)}" for words in OFTEN}
    for said, took in seconds.items():
        bound = f"   (bound {BOUND:g} s)" if said in bounded else ""
        print(f"  {said:<48}  {min(took):6.3f} s  {median(took):6.3f} s   {min(took) / plain:5.1f}{bound}")
    met = all(min(seconds[said]) <= BOUND for said in bounded)
    print("  MET" if met else "  NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
