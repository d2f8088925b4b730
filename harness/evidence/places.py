"""The folders that say whose machine a drill ran on, and what stands in a pack instead of each.

Whoever reads a pack needs to know which file of a run a line is about, and not where on a disk it lay, nor whose home
folder that was. Who drilled is said once, as claimed, in the first line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.evidence.run_folder import PROJECT, UNFINISHED
from harness.system import control_files
from harness.system.environment import NOWHERE, home
from harness.system.operator import logins

MACHINE = Path(__file__).parents[2]


def places(run: Path) -> dict[str, str]:
    """Absolute path to word, for a run in this folder, finished or not.

    While it is not finished, its control files say which project is drilled; a folder that is machine and project is
    called by the latter. A stack that stood before the run is a place of its own.
    """
    said = control_files.read(run / PROJECT) or {}
    project = Path(said.get("folder", MACHINE))
    run = run.with_name(run.name.removesuffix(UNFINISHED))
    named = {
        Path(sys.base_prefix): "<python>",
        Path(sys.prefix): "<python>",
        Path.cwd(): "<working folder>",
        home(): "~",
        MACHINE: "<machine>",
        **{Path(one): "<packages>" for one in sys.path if one.endswith("-packages")},
        project: "<project>",
        **({Path(said["on"]): "<stack>"} if said.get("on") else {}),
        run.parent: "<evidence>",
        run: "<run>",
        run.with_name(run.name + UNFINISHED): "<run>",
        **{Path(base, login): "~" for base in ("/home", "/Users") for login in logins()},
    }
    found: dict[str, str] = {}
    for path, word in named.items():
        for form in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100  (a link is a name of its own)
            if form not in ("/", "/usr", "/usr/local", "/tmp", NOWHERE):  # of every machine
                found[form] = word
    return found
