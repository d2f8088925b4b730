"""A pytest plugin for the run under test: at chosen points it kills its own process, or holds it so that somebody can.

Loaded into the run by `-p`; the code under test knows nothing of it. CRASH holds, as JSON, what to do:

- `deeds`: `[point, deed]` pairs. A point is `line/<kind>/<which>/<moment>`: the which-th journal line of a kind, with
  the moment `before`, `torn` (half of it is written) or `after`; or `seal/<step>/<which>/<moment>`; or
  `time/<seconds>` after the run has entered its sandbox.
- a deed is `kill`, `hold` (until the file `<mark>.go` is there), `mark`, `ask` (the run to stop), or `freeze`
  (SIGSTOP).
- `mark`: the file that is written when a point is reached; it says what the kernel must not keep of this run.
- `ttl`: seconds after which the operator's mistake expires; left out: as it is.
- `instead`: a case of the contract of faults, which is injected instead of the scenario's own fault, into a zone that
  does not lead; with `leads` into the one that does.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.checks import load
from harness.cli import with_reports
from harness.evidence import journal
from harness.evidence.run_folder import UNFINISHED
from harness.faults import Fault
from harness.faults.destroy_recent_rows import DestroyRecentRows
from harness.safety import sealing, stopping
from harness.safety.begin import FOLDER
from harness.scenario import baseline, customers
from harness.scenario import scenario as scenarios
from harness.scenario.active_faults import ActiveFaults
from harness.stacks import zones
from harness.stacks.capabilities import need
from harness.stacks.capabilities.database import Cluster
from harness.stacks.local import sandbox
from harness.system.command import labelled
from tests.contract.faults import CASES

CRASH = "DRDRILL_TEST_CRASH"
PLUGIN = ("-p", "tests.crash.killer")  # what pytest is told
SEAL_STEPS = ("findings", "reports", "control", "write", "sync", "rename")  # `write` happens four times
MOMENTS = ("before", "after")
PATIENCE = 300.0  # seconds
Wrapped = Callable[..., Any]


class Killer:
    """Counts the points that are reached, and does what is wanted at some of them."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.deeds = {str(point): str(deed) for point, deed in wanted["deeds"]}
        self.mark = Path(wanted["mark"])
        self.ttl = wanted.get("ttl")
        self.instead = wanted.get("instead")
        self.leads = bool(wanted.get("leads"))
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Wrap what is watched. What only makes a run long is made short."""
        scenarios.SETTLING = customers.SETTLING = timedelta(seconds=1)
        baseline.GOOD = customers.AUTOMATIC = timedelta(seconds=0.5)
        baseline.CYCLES = 0
        if self.ttl is not None:
            DestroyRecentRows.ttl = timedelta(seconds=self.ttl)
        if self.instead:
            ActiveFaults.inject = self._injecting(ActiveFaults.inject, CASES[self.instead])
        journal.Journal.record = self._recording(journal.Journal.record)
        seal = importlib.import_module("harness.evidence.seal")
        self._wrap(load, "findings_json", "findings")
        self._wrap(with_reports, "build", "reports")
        self._wrap(sealing, "close", "control")
        self._wrap(seal, "_write", "write")
        self._wrap(seal, "sync_tree", "sync")
        Path.rename = self._renaming(Path.rename)
        for point in self.deeds:
            if point.startswith("time/"):
                timer = threading.Timer(float(point.removeprefix("time/")), self.reach, (point,))
                timer.daemon = True
                timer.start()

    def _injecting(self, inject: Wrapped, chosen: Callable[[str, str], Fault]) -> Wrapped:
        def injected(under_way: ActiveFaults, fault: Fault, *words: Any, **options: Any) -> Any:
            stack = under_way._run.stack
            leader = need(stack, Cluster).leader()
            others = [zone for zone in zones(stack) if leader is None or zone != leader.zone]
            hurt = [leader.zone, *others] if self.leads and leader is not None else others
            return inject(under_way, chosen(hurt[0], hurt[1]), *words, **options)

        return injected

    def _recording(self, record: Wrapped) -> Wrapped:
        def recorded(writer: journal.Journal, kind: str, /, **data: Any) -> None:
            which = self._count(kind)
            self.reach(f"line/{kind}/{which}/before")
            if f"line/{kind}/{which}/torn" in self.deeds:
                write = journal._write
                journal._write = lambda handle, content, *, at: write(handle, content[: len(content) // 2], at=at)
                os.fsync = lambda fd: self.reach(f"line/{kind}/{which}/torn")
            record(writer, kind, **data)
            self.reach(f"line/{kind}/{which}/after")

        return recorded

    def _wrap(self, module: Any, name: str, step: str) -> None:
        function = getattr(module, name)

        def wrapped(*words: Any, **options: Any) -> Any:
            which = self._count(step)
            self.reach(f"seal/{step}/{which}/before")
            result = function(*words, **options)
            self.reach(f"seal/{step}/{which}/after")
            return result

        setattr(module, name, wrapped)

    def _renaming(self, rename: Wrapped) -> Wrapped:
        def renamed(path: Path, target: Path) -> Path:
            if not path.name.endswith(UNFINISHED):
                return rename(path, target)
            self.reach("seal/rename/1/before")
            rename(path, target)
            self.reach("seal/rename/1/after")
            return target

        return renamed

    def _count(self, name: str) -> int:
        with self._lock:
            self._seen[name] += 1
            return self._seen[name]

    def reach(self, point: str) -> None:
        """Do what is wanted here, if anything is."""
        if deed := self.deeds.get(point):
            self._do(deed, point)

    def _do(self, deed: str, point: str) -> None:
        fresh = self.mark.with_suffix(".new")
        fresh.write_text(json.dumps({"point": point, **kept_by_the_kernel()}))
        fresh.rename(self.mark)
        if deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif deed == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif deed == "ask":
            stopping.ask(Path(os.environ[FOLDER]), who="test", why="it was asked to stop")
        elif deed == "hold":
            patience = time.monotonic() + PATIENCE
            while not self.mark.with_suffix(".go").exists():
                time.sleep(0.02)
                if time.monotonic() > patience:  # whoever tests is gone
                    os.kill(os.getpid(), signal.SIGKILL)


def kept_by_the_kernel() -> dict[str, list[Any]]:
    """What outlives a killed database: segments of System V (key, id), and files in /dev/shm."""
    folder = Path(os.environ[FOLDER])
    segments = []
    for path in folder.glob("stack/zones/*/volume/**/postmaster.pid"):
        try:
            segments.append([int(word) for word in path.read_text().splitlines()[6].split()])
        except (OSError, IndexError):
            continue  # the server is just starting or ending
    shared: set[str] = set()
    for process in labelled(folder.name.removesuffix(UNFINISHED)):
        try:
            maps = Path(f"/proc/{process.pid}/maps").read_text()
        except OSError:
            continue
        shared.update(line.split(maxsplit=5)[5] for line in maps.splitlines() if "/dev/shm/PostgreSQL" in line)
    return {"segments": segments, "files": sorted(shared)}


if sandbox.inside() is not None and CRASH in os.environ:
    Killer(json.loads(os.environ[CRASH])).prepare()
