"""Where runs that drill one platform meet, whichever folder their evidence goes to: a folder of its own by its name.

It has what the folder of a stack has that `drdrill stack up` has brought up: the lock, `held.json`, what is left hurt.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from harness.evidence.run_folder import STACK_FOLDER
from harness.stacks import brought_up, kinds
from harness.stacks.attached.file.described import StackFile
from harness.stacks.brought_up import BroughtUp
from harness.stacks.kinds import FILE, Kind
from harness.system import control_files
from harness.system.command import LABEL
from harness.system.environment import home

STATE = "XDG_STATE_HOME"


def all_in() -> Path:
    """The folder that has one of each platform."""
    state = os.environ.get(STATE, "")
    base = Path(state) if Path(state).is_absolute() else home() / ".local" / "state"
    return base / "drdrill" / "platforms"


def folder_of(said: StackFile) -> Path:
    """By the platform's name; two names that look alike in it are told apart by a digest."""
    plain = re.sub(r"[^a-z0-9]+", "-", said.platform.name.lower()).strip("-")[:40]
    digest = hashlib.sha256(said.platform.name.encode()).hexdigest()[:6]
    return all_in() / "-".join(filter(None, (plain, digest)))


def hurt() -> list[BroughtUp]:
    """The platforms that runs have left hurt, in the order of their names."""
    return [found for path in sorted(all_in().glob("*")) if (found := BroughtUp(path)).unhealed()]


def make(folder: Path) -> None:
    """Harmless where it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / STACK_FOLDER).mkdir(exist_ok=True)


def keep(kind: Kind, folder: Path) -> Kind:
    """What a run that begins there is about, for whoever heals it; the kind of that copy. The folder is locked."""
    kind.maker.keep(folder)
    facts = {
        **kinds.words(kind), "file": FILE, "scale": 1.0, "regions": 1, "machine": brought_up.machine(),
        brought_up.ATTACHED: str(kind.file),
    }  # fmt: skip  # in groups
    control_files.leave(folder / brought_up.HELD, facts)
    return brought_up.BroughtUp(folder).kind


def label(folder: Path) -> str:
    """What processes carry that are started for a stack in this folder: the run's, where one goes on."""
    return os.environ.get(LABEL) or folder.parent.name
