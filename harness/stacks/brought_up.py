"""A stack that was brought up by `drdrill stack up` and stands: found again, and asked whether it can be drilled.

Its folder holds `held.json` (what it is, and which process holds it), `ready.json` (once it serves: where everything
is), `unhealed/` (what runs have left hurt on it), and `stack/`, which is the stack's own.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.errors import DrillError, Refused
from harness.evidence.run_folder import STACK_FOLDER, UNHEALED, option
from harness.stacks import Condition, kinds, steadiness
from harness.stacks.kinds import Kind
from harness.stacks.needs import Offer
from harness.system import clock, control_files
from harness.system.command import Commands, Process, labelled
from harness.system.recorder import Memory

PREFIX = "stack-"  # before the id of a stack
HELD = "held.json"
ATTACHED = "attached"  # in `held.json` of a platform that nobody here has brought up: the file that describes it
READY = "ready.json"
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
ANSWERS_WITHIN = timedelta(seconds=60)  # a stack of which everything is silent: each of its parts is waited for


@dataclass(frozen=True)
class BroughtUp:
    """A stack by its folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def stack(self) -> Path:
        """The folder that the stack itself has made; `Maker.attach` wants it."""
        return self.folder / STACK_FOLDER

    @property
    def said(self) -> dict[str, Any]:
        """What `remember` has left; empty where there is nothing."""
        return control_files.read(self.folder / HELD) or {}

    @property
    def kind(self) -> Kind:
        return kinds.told(self.said, self.folder) or kinds.left_in(self.stack)

    @property
    def attached(self) -> bool:
        """Whether it is a platform that somebody else made: it stands by itself, and dies with no process of ours."""
        return ATTACHED in self.said

    @property
    def scale(self) -> float:
        """Size of the data set that it was started with."""
        return float(self.said.get("scale", 1.0))

    @property
    def regions(self) -> int:
        """How many it was asked for."""
        return int(self.said.get("regions", 1))

    def offer(self, kind: Kind, *, level: str | None = None) -> Offer:
        """What it has, where it stands."""
        ours = kind.project is None and kind.file is None
        return kind.offer(level=level).of(self.regions) if ours else kind.offer(level=level)

    def ready(self) -> dict[str, Any] | None:
        """Its addresses, once it serves."""
        return control_files.read(self.folder / READY)

    def alive(self) -> bool:
        """Whether the process that holds it runs, or anything else of it."""
        return self.attached or self._holder().running() or bool(labelled(self.name))

    def unhealed(self) -> list[str]:
        """The names of the files that say what runs have left hurt on it."""
        return sorted(path.name for path in (self.folder / UNHEALED).glob("*.json"))

    def said_hurt(self) -> list[str]:
        """The same in words: of each the fault, and what was seen when it was not healed."""
        told = [control_files.read(self.folder / UNHEALED / name) or {} for name in self.unhealed()]
        return [f"{one.get('fault', 'unknown')}: {one.get('seen', 'not seen healed')}" for one in told]

    def must_stand(self) -> None:
        """Errors: `Refused` where it is of another machine or boot, dead, or not ready."""
        said = self.said
        down = f"`drdrill stack down{option(self.folder.parent)}`"
        gone = f"{down} removes what is left of it, and `drdrill stack up` starts one"
        if said.get("machine") != machine():
            raise Refused(f"{self.name} was brought up on another machine", hint="run the drill there")
        if self.attached:
            return
        if said.get("boot") != clock.boot():
            raise Refused(f"{self.name} was brought up before this machine was started again", hint=gone)
        if not self._holder().running():
            raise Refused(f"{self.name} is dead: the process that held it is gone", hint=gone)
        if self.ready() is None:
            raise Refused(f"{self.name} does not serve yet", hint="wait until `drdrill stack up` has said so")

    def conditions(self) -> Sequence[Condition]:
        """Ask it once whether it is steady, where it stands, in a process of its own.

        Errors: `DrillError` where it cannot be asked, or does not answer.
        """
        kind = self.kind
        words = [sys.executable, "-m", steadiness.__name__, str(self.stack), json.dumps(kinds.words(kind))]
        commands = Commands(Memory(), label=self.name)
        return steadiness.read(commands.run(kind.maker.join(self.stack, words), within=ANSWERS_WITHIN).out)

    def _holder(self) -> Process:
        try:
            return Process(*map(int, self.said["holder"]))
        except (KeyError, TypeError, ValueError):
            return Process(pid=0, started=0)


def remember(folder: Path, kind: Kind, *, scale: float, regions: int, holder: Process) -> None:
    """For whoever drills it, asks for it or removes it. `holder`: the process that it dies with."""
    facts = {
        **kinds.words(kind),
        "environment": kind.environment,
        "scale": scale,
        "regions": regions,
        "machine": machine(),
        "boot": clock.boot(),
        "holder": [holder.pid, holder.started],
    }
    control_files.leave(folder / HELD, facts)


def all_in(folder: Path) -> list[BroughtUp]:
    """Those of a folder of evidence, oldest first, alive or not."""
    return [BroughtUp(path) for path in sorted(folder.glob(f"{PREFIX}*")) if path.is_dir()]


def find(folder: Path) -> BroughtUp:
    """The one in this folder, or the only one that is alive in a folder of several. Errors: `Refused`."""
    folder = folder.absolute()
    if (folder / HELD).is_file():
        return BroughtUp(folder)
    found = all_in(folder)
    alive = [one for one in found if one.alive()]
    if len(alive) == 1:
        return alive[0]
    if alive:
        names = ", ".join(str(one.folder) for one in alive)
        raise Refused(f"{len(alive)} stacks are up in {folder}", hint=f"name one of them: {names}")
    why = f"{found[-1].name} is dead" if found else "no stack was brought up there"
    raise Refused(f"{folder}: {why}", hint="`drdrill stack up` starts one, and `drdrill stack status` names its folder")


def wrong(conditions: Sequence[Condition]) -> str:
    """What of them does not hold, in words; empty where all do."""
    return "; ".join(f"{one.name}: {one.seen}" for one in conditions if not one.ok)


def state(one: BroughtUp, *, busy: bool) -> tuple[str, str]:
    """For people: steady, busy, hurt or dead, and why it is not steady."""
    if not one.alive():
        return "dead", "nothing of it runs"
    if busy:
        return "busy", "a run drills it, or is just healed"
    if left := one.unhealed():
        return "hurt", f"a run has left it hurt: {', '.join(left)}"
    try:
        one.must_stand()
        why = wrong(one.conditions())
    except DrillError as error:
        why = error.message
    return ("hurt", why) if why else ("steady", "")


def machine() -> str:
    """Which machine this is, over all of its boots; by its name where it has no id."""
    for path in map(Path, MACHINE_IDS):
        try:
            if found := path.read_text().strip():
                return found
        except OSError:
            continue
    return platform.node()
